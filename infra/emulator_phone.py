"""A phone system of the Smartflo family, as much of it as a push asks: https://docs.smartflo.tatatelebusiness.com/reference

It lets one login in, has one number and the users that it is told of, and keeps what it is told of them.
"""

import contextlib
import http.server
import json
import threading

LOGIN = {"email": "ops@example.com", "password": "ops-2026-secret"}
TOKEN = "a-token"


class Smartflo(http.server.ThreadingHTTPServer):
    """`users` are login IDs by their IDs, `numbers` the caller IDs that each was told of last."""

    def __init__(self, users, number):
        super().__init__(("127.0.0.1", 0), Request)
        self.users, self.number, self.numbers = users, number, {}


class Request(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        if self.path != "/v1/auth/login":
            return self.answer(404, {"success": False, "message": "nothing here"})
        if self.sent() != LOGIN:
            return self.answer(200, {"success": False, "message": "Invalid credentials"})
        self.answer(200, {"success": True, "access_token": TOKEN, "token_type": "bearer", "expires_in": 3600})

    def do_GET(self):
        path = self.path.split("?")[0]
        users = [{"id": user, "name": login, "login_id": login} for user, login in self.server.users.items()]
        lists = {
            "/v1/users": {"has_more": False, "count": len(users), "last_seen_id": users[-1]["id"], "data": users},
            "/v1/my_number": [{"id": "70000", "did": self.server.number, "alias": self.server.number.lstrip("+"), "name": "xyz"}],
            "/v1/departments": [],
        }
        self.answer_who_is_known(200 if path in lists else 404, lists.get(path, {"success": False}))

    def do_PATCH(self):
        user, sent = self.path.removeprefix("/v1/user/"), self.sent()
        if set(sent.get("caller_id", [None])) <= {"70000"} and int(user) in self.server.users:
            self.server.numbers[self.server.users[int(user)]] = sent["caller_id"]
            return self.answer_who_is_known(200, {"success": True, "message": "User updated"})
        self.answer_who_is_known(400, {"success": False, "message": "caller_id is not valid"})

    def sent(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer_who_is_known(self, status, answer):
        known = self.headers["Authorization"] == f"Bearer {TOKEN}"
        self.answer(status if known else 401, answer if known else {"success": False})

    def answer(self, status, answer):
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def smartflo(users, number):
    """One that serves."""
    server = Smartflo(users, number)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
