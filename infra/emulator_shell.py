"""The emulator that infra/emulator.py deploys to: MiniStack, amended where it is not as AWS's documentation says, and a shell whose tools
talk to it.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import boto3

TOOLS = pathlib.Path("target/check").absolute()
MINISTACK = TOOLS / "ministack-1.5.33"
SAM = TOOLS / "aws-sam-cli-1.170.0/bin/sam"
BUILD = pathlib.Path("target/emulator").absolute()
REGION = "us-east-1"
# Longest that anything is waited for, in seconds. What needs it has failed.
PATIENCE = 120

# Where this version of MiniStack is not as AWS's documentation says: a file of it, what stands there, and what must.
AMENDMENTS = [
    # An event of a bucket with versions names the version:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    (
        "services/s3.py",
        '"sequencer": sequencer or "0"},',
        '"sequencer": sequencer or "0", **({"version-id": version_id} if version_id else {})},',
    ),
    # A batch of PartiQL statements is allowed by the actions of its statements, on their tables:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
    (
        "core/iam_actions.py",
        '    if iam_action not in ("dynamodb:TransactWriteItems", "dynamodb:TransactGetItems"):\n',
        '    if iam_action == "dynamodb:BatchExecuteStatement":\n'
        '        statements = [statement["Statement"] for statement in json.loads(body)["Statements"]]\n'
        '        return [("dynamodb:PartiQL" + text.split()[0].capitalize(),\n'
        "                 _dynamodb_table_arn(text.split('\"')[1], region, account_id)) for text in statements]\n"
        '    if iam_action not in ("dynamodb:TransactWriteItems", "dynamodb:TransactGetItems"):\n',
    ),
    # A stream tells of every write, also of PartiQL's.
    (
        "services/dynamodb.py",
        "    _set_item(table, pk_key, sk_key, work)\n    item_after = work\n",
        "    _set_item(table, pk_key, sk_key, work)\n    item_after = work\n"
        '    _emit_stream_event(parsed["table"], "MODIFY", item_before, work)\n',
    ),
    # A statement changes the item of its keys, and whatever else stands beside them is its condition, also where that says OR, as DynamoDB Local has it:
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.update.html
    (
        "services/dynamodb.py",
        '        elif node[0] == "or":\n            return []\n        else:\n            conjuncts.append(node)\n',
        '        elif node[0] != "or":\n            conjuncts.append(node)\n',
    ),
    # A raw mail is allowed on the identity that sends it, and by its From address:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html
    (
        "core/iam_actions.py",
        '        identity = _query_param(query_params, "Identity")\n',
        '        identity = _query_param(query_params, "Identity") or _query_param(query_params, "Source")\n',
    ),
    (
        "core/iam_actions.py",
        '    """aws:RequestTag/<key> for every tag a request sets and aws:TagKeys for every key it sets or removes."""\n',
        '    if iam_action == "ses:SendRawEmail":\n        return {"ses:FromAddress": _query_param(params, "Source")}\n',
    ),
    # Here it serves TLS alone, to itself too.
    (
        "services/apigateway.py",
        'f"http://{_HOST}:{_PORT}/{pool_id}/.well-known/jwks.json"',
        'f"https://{_HOST}:{_PORT}/{pool_id}/.well-known/jwks.json"',
    ),
]


def amend():
    packages = next(MINISTACK.glob("lib/python3*/site-packages/ministack"))
    for name, before, after in AMENDMENTS:
        file = packages / name
        text = file.read_text()
        if after in text:
            continue
        if text.count(before) != 1:
            sys.exit(f"{name} of MiniStack has changed: {before!r} stands there {text.count(before)} times")
        file.write_text(text.replace(before, after))


@contextlib.contextmanager
def emulator(home):
    """MiniStack on a port of its own, and a shell whose tools talk to it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    certificate, key = f"{home}/certificate.pem", f"{home}/key.pem"
    names = "subjectAltName=DNS:localhost,DNS:*.execute-api.localhost,IP:127.0.0.1"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", names, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    # By address, for names of buckets below localhost would have to be known to this machine.
    endpoint = f"https://127.0.0.1:{port}"
    environment = {
        "TMPDIR": home,
        "PATH": f"{home}/bin:{MINISTACK}/bin:{os.environ['PATH']}",
        "AWS_ACCESS_KEY_ID": "root",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        # Not what whoever runs this has set up; and as version 2 of the AWS CLI does, addresses are not fetched.
        "AWS_CONFIG_FILE": f"{home}/config",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_PAGER": "",
        "SAM_CLI_TELEMETRY": "0",
        # Who trusts it: Python, curl, the functions, the AWS CLI.
        **dict.fromkeys(["SSL_CERT_FILE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"], certificate),
    }
    own = {"AUTH": "true", "USE_SSL": "1", "MINISTACK_SSL_CERT": certificate, "MINISTACK_SSL_KEY": key}
    own |= {"GATEWAY_PORT": port, "BIND_HOST": "127.0.0.1", "MINISTACK_REGION": REGION}
    BUILD.mkdir(parents=True, exist_ok=True)
    pathlib.Path(f"{home}/config").write_text("[default]\ncli_follow_urlparam = false\n")
    with open(BUILD / "ministack.log", "w") as log:
        server = subprocess.Popen(
            [MINISTACK / "bin/ministack"], env=environment | own | {"HOME": home}, cwd=home, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        # What sam asks of cargo-lambda, with what `cargo build` has made, without its debugging information.
        os.mkdir(f"{home}/bin")
        stand_in = pathlib.Path(f"{home}/bin/cargo-lambda")
        stand_in.write_text(
            '#!/bin/sh\nset -eu\nwhile [ "$1" != --bin ]; do shift; done\nmkdir -p "$CARGO_TARGET_DIR/lambda/$2"\n'
            'strip -o "$CARGO_TARGET_DIR/lambda/$2/bootstrap" "$CARGO_TARGET_DIR/debug/$2"\n'
        )
        stand_in.chmod(0o755)
        os.environ.update(environment)
        shell = Shell(home)
        # Version 1 of the CLI, which PyPI has, doesn't ask the environment where SQS is.
        shell.run('aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }')
        shell.run(f'sam() {{ {SAM} "$@" > sam.log 2>&1 || {{ tail -50 sam.log; false; }}; }}')
        shell.until("MiniStack answers", f"curl -sf {endpoint}/_ministack/health", lambda out: out)
        yield shell
    finally:
        server.terminate()
        server.wait()


class Shell:
    """A shell that stays, so that later commands see the variables and functions of earlier ones."""

    def __init__(self, home):
        self.process = subprocess.Popen(
            ["bash", "-u"], cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, commands, fails=False):
        """What the commands print, on both streams. The run ends if one of them fails that shouldn't, or the other way."""
        print("\n".join(f"$ {line}" for line in commands.strip().splitlines()), flush=True)
        self.process.stdin.write(f"set +e; trap 'FAILED=1' ERR; FAILED=\n{commands}\nprintf '\\036%s\\n' \"$FAILED\"\n")
        self.process.stdin.flush()
        printed = ""
        for line in self.process.stdout:
            if "\x1e" in line:
                printed, failed = (printed + line).split("\x1e")
                print(printed, end="", flush=True)
                if bool(failed.strip()) != fails:
                    sys.exit("That should have failed." if fails else "That failed.")
                return printed
            printed += line
        sys.exit(f"{printed}\nThe shell ended.")

    def until(self, what, commands, holds):
        """What the commands print, once that is as it should be."""
        print(f"… until {what}", flush=True)
        start = time.monotonic()
        while True:
            with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
                printed = self.run(f"{{ {commands.strip()}; }} || :")
            if holds(printed):
                return printed
            if time.monotonic() - start > PATIENCE:
                sys.exit(f"{printed}\nWaited too long until {what}.")
            time.sleep(0.5)


def routes(name):
    """MiniStack passes over the routes that SAM makes of the functions' events. They are made here, each as it stands there."""
    stack, gateway = boto3.client("cloudformation"), boto3.client("apigatewayv2")
    body = stack.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]["Resources"]["Api"]["Properties"]["Body"]
    resources = stack.describe_stack_resources(StackName=name)["StackResources"]
    made = {found["LogicalResourceId"]: found["PhysicalResourceId"] for found in resources}
    api = made["Api"]
    [parameters] = ({given["ParameterKey"]: given["ParameterValue"] for given in found["Parameters"]} for found in stack.describe_stacks(StackName=name)["Stacks"])

    def function(uri):
        """The function that a reference is about."""
        [logical] = set(re.findall(r"\w+Function\b", json.dumps(uri)))
        return boto3.client("lambda").get_function(FunctionName=made[logical])["Configuration"]["FunctionArn"]

    integrations = {
        name: gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=function(given["uri"]), PayloadFormatVersion=given["payloadFormatVersion"]
        )["IntegrationId"]
        for name, given in body["components"]["x-amazon-apigateway-integrations"].items()
    }
    schemes = {name: scheme["x-amazon-apigateway-authorizer"] for name, scheme in body["components"]["securitySchemes"].items()}
    jwt, key = schemes["Jwt"], schemes["ScimKey"]
    authorizers = {
        "Jwt": gateway.create_authorizer(
            ApiId=api,
            Name="Jwt",
            AuthorizerType="JWT",
            IdentitySource=[jwt["identitySource"]],
            JwtConfiguration={
                "Issuer": parameters[jwt["jwtConfiguration"]["issuer"]["Ref"]],
                "Audience": [parameters[audience["Ref"]] for audience in jwt["jwtConfiguration"]["audience"]],
            },
        )["AuthorizerId"],
        "ScimKey": gateway.create_authorizer(
            ApiId=api,
            Name="ScimKey",
            AuthorizerType="REQUEST",
            IdentitySource=key["identitySource"],
            AuthorizerUri=function(key["authorizerUri"]),
            AuthorizerPayloadFormatVersion=key["authorizerPayloadFormatVersion"],
            AuthorizerResultTtlInSeconds=key["authorizerResultTtlInSeconds"],
            EnableSimpleResponses=key["enableSimpleResponses"],
        )["AuthorizerId"],
    }
    for path, methods in body["paths"].items():
        for method, route in methods.items():
            security = {"AuthorizationType": "NONE"}
            for [(scheme, scopes)] in (one.items() for one in route.get("security", [])):
                security = {"AuthorizationType": "JWT", "AuthorizationScopes": scopes} if scheme == "Jwt" else {"AuthorizationType": "CUSTOM"}
                security["AuthorizerId"] = authorizers[scheme]
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            integration = integrations[route["x-amazon-apigateway-integration"]["$ref"].rsplit("/", 1)[1]]
            gateway.create_route(ApiId=api, RouteKey=f"{verb} {path}", Target=f"integrations/{integration}", **security)
