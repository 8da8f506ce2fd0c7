"""What infra/emulator does once its tools are there: it starts MiniStack, and plays somebody who deploys and uses Rollcall.

Every request goes by TLS and is signed, and MiniStack judges it by the roles, users and policies that it has been told of
(AUTH=true), so a permission that the template forgets fails the run; at the end the run takes one away to see that.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

import boto3

TOOLS = pathlib.Path("target/check").absolute()
MINISTACK = TOOLS / "ministack-1.5.33"
SAM = TOOLS / "aws-sam-cli-1.170.0/bin/sam"
BUILD = pathlib.Path("target/emulator").absolute()
ROOT = pathlib.Path.cwd()
GUIDE = pathlib.Path("infra/docs/deploy.md").read_text()
RUNBOOK = pathlib.Path("infra/docs/runbook.md").read_text()
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


def main():
    amend()
    with tempfile.TemporaryDirectory(prefix="rollcall-emulator-") as home, emulator(home) as shell:
        spelled(shell)
        shell.run("export STACK=rollcall SENDER=reports@example.com")
        sender(shell)
        pool = tokens(shell)
        build(shell)
        refused(shell, pool)
        deploy(shell, pool)
        routes("rollcall")
        account(shell)
        first_file(shell)
        other_functions(shell)
        restored(shell)
        second_stack(shell, pool)
        other_index(shell, pool)
        without_a_permission(shell, pool)
        teardown(shell)
    print("The template deploys, its roles suffice, and the guide's commands do what it says.")


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


def blocks(document, heading, language="sh"):
    """The blocks of commands below a heading."""
    section = document.split(f"\n## {heading}")[1].split("\n## ")[0]
    return [part.split("```")[0] for part in re.split(rf"```{language}\n", section)[1:]]


def expect(printed, *parts):
    for part in parts:
        if part not in printed:
            sys.exit(f"{part!r} is not in what was printed")


def spelled(shell):
    """Also what isn't run here is a command that there is: the CLI says so of each, and sends nothing."""
    for document in [GUIDE, RUNBOOK]:
        lines = document.replace("\\\n", " ").replace("\n--", " --").splitlines()
        inline = re.findall(r"`(aws [^`…]*)`", " ".join(lines))
        commands = [line.strip() for line in lines if line.strip().startswith("aws ")] + inline
        for command in commands:
            # Those of S3 have no such option, and what asks others first is run.
            if not command.startswith("aws s3 ") and "$(" not in command and command.count("'") % 2 == 0:
                named = re.sub(r"\$\w+", "x", re.split(r" (?:>|\|\|) ", command)[0])
                shell.run(f"{named} --generate-cli-skeleton > skeleton || {{ cat skeleton; false; }}")


def sender(shell):
    identity, production = blocks(GUIDE, "1. The sender")
    # Nobody has to click a link here.
    expect(shell.run(identity), "true")
    shell.run(production)


def tokens(shell):
    """The user pool of chapter 2, with somebody of the account acme in it."""
    [server], [trigger] = blocks(GUIDE, "2. Who issues tokens"), blocks(GUIDE, "2. Who issues tokens", "js")
    (BUILD / "index.mjs").write_text(trigger)
    role = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
    shell.run(f"""
POOL=$(aws cognito-idp create-user-pool --pool-name rollcall --schema Name=account,AttributeDataType=String,Mutable=true --query UserPool.Id --output text)
ROLE=$(aws iam create-role --role-name trigger --assume-role-policy-document '{role}' --query Role.Arn --output text)
(cd {BUILD} && python3 -m zipfile -c trigger.zip index.mjs)
TRIGGER=$(aws lambda create-function --function-name trigger --runtime nodejs22.x --handler index.handler --role "$ROLE" \\
  --zip-file fileb://{BUILD}/trigger.zip --query FunctionArn --output text)
aws cognito-idp update-user-pool --user-pool-id "$POOL" --lambda-config "PreTokenGenerationConfig={{LambdaVersion=V2_0,LambdaArn=$TRIGGER}}"
""")
    shell.run(server)
    shell.run("""
SCOPES=$(aws cognito-idp describe-resource-server --user-pool-id "$POOL" --identifier rollcall --query 'ResourceServer.Scopes[].ScopeName' --output text |
  tr '\\t' '\\n' | sed 's#^#rollcall/#' | tr '\\n' ' ')
CLIENT=$(aws cognito-idp create-user-pool-client --user-pool-id "$POOL" --client-name people --callback-urls https://example.com/ \\
  --allowed-o-auth-flows code --allowed-o-auth-flows-user-pool-client --allowed-o-auth-scopes $SCOPES --write-attributes email name \\
  --supported-identity-providers COGNITO --query UserPoolClient.ClientId --output text)
aws cognito-idp admin-create-user --user-pool-id "$POOL" --username ann --message-action SUPPRESS --query User.UserStatus \\
  --user-attributes Name=custom:account,Value=acme Name=email,Value=ann@example.com
aws cognito-idp admin-set-user-password --user-pool-id "$POOL" --username ann --password 'Ann-2026-secret' --permanent
""")
    return shell.run("echo $POOL").strip()


def build(shell):
    shell.run(f"(cd {ROOT} && {SAM} build --build-dir {BUILD}/build --parameter-overrides Architecture=x86_64 2>&1) | tail -3")
    expect((BUILD / "build/template.yaml").read_text(), "CodeUri: BulkAppendFunction")


def deploy(shell, pool, template="template.yaml", stack="rollcall", fails=False, **others):
    """What somebody would answer to `sam deploy --guided`. Jobs that fail are to be given up soon, and the audit trail to be shown soon."""
    parameters = {
        "Architecture": "x86_64",
        "JwtIssuer": f"https://cognito-idp.{REGION}.amazonaws.com/{pool}",
        "JwtAudience": "$CLIENT",
        "MailSender": "reports@example.com",
        "AlarmEmail": "ops@example.com",
        "AuditSettleSeconds": "2",
        "MaxDeliveries": "2",
        "DirectorySyncRate": "rate(1 minute)",
        "ResyncRate": "rate(1 minute)",
    } | others
    # SAM takes quotes of its own around what has a space.
    answers = " ".join(rf'{name}="\"{value}\""' for name, value in parameters.items())
    printed = shell.run(
        f"{SAM} deploy --config-file {ROOT}/samconfig.toml --template-file {BUILD}/build/{template} --no-confirm-changeset --stack-name {stack}"
        f" --parameter-overrides {answers} > {BUILD}/deploy.log 2>&1 || {{ tail -50 {BUILD}/deploy.log; false; }}",
        fails=fails,
    )
    if not fails:
        [_, variables] = blocks(GUIDE, "3. Deploy")
        shell.run(f"STACK={stack}\n{variables}")
    return printed


def refused(shell, pool):
    """Bad input, before anything is made."""
    look = lambda stack, issuer, sender: shell.run(f"{ROOT}/infra/preflight {stack} {issuer} {sender}", fails=True)
    expect(look("x" * 128, "https://issuer.invalid", "rollcall@example.com"), "has 128 letters", "is the template's default")
    expect(look("rollcall", "https://127.0.0.1:9", "nobody@example.org"), "doesn't answer within 1.5 seconds", "neither nobody@example.org nor its domain")
    expect(look("roll_call", "http://example.com", "$SENDER"), "letters, digits and hyphens", "must be an https address")
    for name, value, told in [("JwtIssuer", "https://issuer.invalid", "JwtIssuer must be given"), ("MailSender", "rollcall@example.com", "MailSender must be given")]:
        expect(deploy(shell, pool, stack="refused", fails=True, **{name: value}), told)
    expect(shell.run("aws dynamodb list-tables --query \"TableNames[?starts_with(@, 'refused-')]\" --output json"), "[]")


def routes(name):
    """MiniStack passes over the routes that SAM makes of the functions' events. They are made here, each as it stands there."""
    stack, gateway = boto3.client("cloudformation"), boto3.client("apigatewayv2")
    body = stack.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]["Resources"]["Api"]["Properties"]["Body"]
    resources = stack.describe_stack_resources(StackName=name)["StackResources"]
    [api], [function] = (
        [found["PhysicalResourceId"] for found in resources if found["LogicalResourceId"] == name] for name in ["Api", "UsersApiFunction"]
    )
    arn = boto3.client("lambda").get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    [parameters] = ({given["ParameterKey"]: given["ParameterValue"] for given in found["Parameters"]} for found in stack.describe_stacks(StackName=name)["Stacks"])
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    jwt = body["components"]["securitySchemes"]["Jwt"]["x-amazon-apigateway-authorizer"]
    authorizer = gateway.create_authorizer(
        ApiId=api,
        Name="Jwt",
        AuthorizerType="JWT",
        IdentitySource=[jwt["identitySource"]],
        JwtConfiguration={
            "Issuer": parameters[jwt["jwtConfiguration"]["issuer"]["Ref"]],
            "Audience": [parameters[audience["Ref"]] for audience in jwt["jwtConfiguration"]["audience"]],
        },
    )["AuthorizerId"]
    for path, methods in body["paths"].items():
        for method, route in methods.items():
            gateway.create_route(
                ApiId=api,
                RouteKey=f"{method.upper()} {path}",
                Target=f"integrations/{integration}",
                AuthorizationType="JWT",
                AuthorizerId=authorizer,
                AuthorizationScopes=route["security"][0]["Jwt"],
            )


def account(shell):
    """Chapter 4, with a token that Cognito gives somebody who logs in."""
    shell.run(r"""
ASKED="client_id=$CLIENT&redirect_uri=https://example.com/"
LOCATION=$(curl -s -o /dev/null -w '%{redirect_url}' "$AWS_ENDPOINT_URL/login" -d "$ASKED" --data-urlencode "scope=$SCOPES" \
  -d 'response_type=code&username=ann&password=Ann-2026-secret')
TOKEN=$(curl -s "$AWS_ENDPOINT_URL/oauth2/token" -d "$ASKED&grant_type=authorization_code&code=${LOCATION##*code=}" |
  sed 's/.*"access_token": *"\([^"]*\)".*/\1/')
""")
    [api, settings] = blocks(GUIDE, "4. The first account")
    expect(shell.run(api), '"+919876500002"', '"login":"user1"')
    shell.run(settings)
    # A token is asked for, and its scopes count.
    expect(shell.run('curl -s -o /dev/null -w "%{http_code}" "$API/v1/users"'), "401")


def first_file(shell):
    """Chapter 5. Who drops the file may put objects into the inbox of the account and nothing else."""
    [commands] = blocks(GUIDE, "5. The first file")
    make, copy, rest = commands.split("\n", 2)
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::%s/inbox/acme/*"}]}'
    shell.run(f"""
aws iam create-user --user-name dropper --query User.Arn
aws iam put-user-policy --user-name dropper --policy-name drop --policy-document "$(printf '{policy}' "$BUCKET")"
KEYS=$(aws iam create-access-key --user-name dropper --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text)
dropper() {{ AWS_ACCESS_KEY_ID=${{KEYS%%[[:space:]]*}} AWS_SECRET_ACCESS_KEY=${{KEYS##*[[:space:]]}} "$@"; }}
""")
    shell.run(make)
    expect(shell.run(copy.replace("aws s3 cp", "dropper aws s3 cp").replace("inbox/acme", "inbox/other"), fails=True), "AccessDenied")
    shell.run(copy.replace("aws s3 cp", "dropper aws s3 cp"))
    shell.until("the job has ended", 'ask "$API/v1/jobs?limit=1"', lambda jobs: '"phase":"done"' in jobs)
    printed = shell.run(rest)
    expect(printed, '"applied":1', '"failed":1', '"caller_ids":["+919876500001"]', "/results.csv", "/failed.csv")
    mails = 'curl -sf "$AWS_ENDPOINT_URL/_ministack/ses/messages"'
    expect(shell.run(mails), "1 of 2 rows of first.csv need mending", "ops@example.com")
    expect(shell.run('dropper aws s3 ls "s3://$BUCKET/results/acme/"', fails=True), "AccessDenied")



# The newest jobs: the schedule's come in between.
JOBS = 'ask "$API/v1/jobs?limit=50"'


def job(**facts):
    """Whether a list of jobs has one of which this is so."""
    return lambda jobs: any(facts.items() <= job.items() for job in json.loads(jobs)["items"])


def other_functions(shell):
    """What the guide's first file doesn't touch: the other kinds of jobs, schedules, and the audit trail."""
    done = lambda kind: job(kind=kind, phase="done")
    shell.run(r"""
printf 'Login ID,Name,Allowed Caller ID\nuser2,Vikram Mehta,9876500001\n' > people.csv
aws s3 cp people.csv "s3://$BUCKET/inbox/acme/upload-users/people.csv"
""")
    shell.until("the users are there", JOBS, done("upload-users"))
    shell.run("""ask "$API/v1/numbers/rotations" -d '{"retire":["9876500001"],"replace_with":["9876500002"]}'""")
    jobs = shell.until("the rotation has ended", JOBS, done("rotate-caller-ids"))
    expect(shell.run('ask "$API/v1/users/user2/caller-ids"'), '"caller_ids":["+919876500002"]')
    [rotated] = [job["id"] for job in json.loads(jobs)["items"] if job["kind"] == "rotate-caller-ids"]
    shell.run(f"ask \"$API/v1/jobs/{rotated}/undo\" -d '{{}}'")
    shell.until("the undo has ended", JOBS, done("undo"))
    expect(shell.run('ask "$API/v1/users/user2/caller-ids"'), '"caller_ids":["+919876500001"]')
    shell.run("""ask -X PUT "$API/v1/mappings/crm-1" -d '{"phone_user":"user2"}'""")
    sees = lambda numbers: "+919876500001" in numbers
    shell.until("a schedule has run the resync", 'ask "$API/v1/mappings/crm-1/caller-ids"', sees)
    told = lambda entries: all(job in entries for job in ['"user":"user1"', '"added":["+919876500002"]', '"removed":["+919876500002"]'])
    shell.until("the audit trail tells of it", 'ask "$API/v1/audit"', told)
    brought_back(shell, told)
    logs = "for group in $(aws logs describe-log-groups --log-group-name-prefix /aws/lambda/rollcall/ --query 'logGroups[].logGroupName' --output text); do echo $group; aws logs filter-log-events --log-group-name $group --query 'events[].message' --output text; done"
    shell.until("every function has run", logs, lambda lines: lines.count("START RequestId") and all(
        re.search(rf"/aws/lambda/rollcall/{name}\nSTART", lines) for name in ["audit-trail", "bulk-append", "bulk-undo", "bulk-users", "directory-import", "mapping-resync", "number-rotation", "users-api"]))
    printed = shell.run(logs)
    if '"level":"ERROR"' in printed:
        sys.exit("A function has logged an error.")


def brought_back(shell, told):
    """The audit trail is lost, and comes back from the stream as the runbook says. No letter is dead here: the function is tried for hours."""
    [_, back] = blocks(RUNBOOK, "`AuditTrailDeadLettersWait`")
    shell.run('aws s3 rm --recursive --quiet "s3://$BUCKET/audit/"')
    expect(shell.run('ask "$API/v1/audit"'), '"items":[]')
    # Version 1 of the CLI takes a payload as it is, and knows no option for it.
    shell.run(back.replace(" --cli-binary-format raw-in-base64-out", ""))
    shell.run("""
STREAM=$(aws dynamodb describe-table --table-name "$TABLE" --query Table.LatestStreamArn --output text)
SHARD=$(aws dynamodbstreams describe-stream --stream-arn "$STREAM" --query 'StreamDescription.Shards[0].ShardId' --output text)
aws dynamodbstreams get-records --query '[Records[0].dynamodb.SequenceNumber,Records[-1].dynamodb.SequenceNumber]' --output text > ends --shard-iterator \
  "$(aws dynamodbstreams get-shard-iterator --stream-arn "$STREAM" --shard-id "$SHARD" --shard-iterator-type TRIM_HORIZON --query ShardIterator --output text)"
read START END < ends
bring_back "$STREAM" "$SHARD" "$START" "$END"
""")
    shell.until("the audit trail tells of it again", 'ask "$API/v1/audit"', told)


USERS = 'ask "$API/v1/users?limit=200" | grep -o \'"login":"[^"]*"\' | sort'


def restored(shell):
    """What came since goes, what was changed is as before. MiniStack restores a table as it is now, whatever moment is named."""
    [make, copy] = blocks(GUIDE, "Restore")
    copy = copy.replace("python3", str(MINISTACK / "bin/python"))
    before = shell.run(USERS)
    shell.run(make)
    shell.run("""ask "$API/v1/users" -d '{"login":"later","name":"Later"}'; ask -X DELETE "$API/v1/users/user1" """)
    expect(shell.run(f"cd {ROOT}\n{copy}"), "Done.")
    expect(shell.run(copy), "0 items to write, 0 to delete")
    after = shell.run(f"cd - > /dev/null; {USERS}")
    if before != after or "user1" not in after:
        sys.exit(f"The restored table has other users: {before!r} {after!r}")


def second_stack(shell, pool):
    """Beside the first in the same account and region, then in its place."""
    before = shell.run(f"OLD=$TABLE\n{USERS}")
    deploy(shell, pool, stack="rollcall-two")
    routes("rollcall-two")
    expect(shell.run('ask "$API/v1/users"'), '"items":[]')
    [move] = blocks(GUIDE, "Move to another stack")
    shell.run('NEW_TABLE=$TABLE NEW_BUCKET=$BUCKET TABLE=$OLD BUCKET=$(STACK=rollcall; output FilesBucketName)')
    shell.run(f"cd {ROOT}; " + move.replace("python3", str(MINISTACK / "bin/python")) + "cd - > /dev/null")
    if shell.run(USERS) != before:
        sys.exit("The second stack has other users.")
    shell.run(f"{SAM} delete --stack-name rollcall-two --no-prompts --region {REGION} 2>&1 | tail -3")
    # What a stack leaves, and a failed first deployment too, is told of, and goes as the guide has it.
    expect(shell.run(f"{ROOT}/infra/preflight rollcall-two https://issuer.invalid $SENDER", fails=True), "is left of an earlier stack")
    [way_out] = blocks(GUIDE, "When a deployment fails")
    shell.run(way_out.split("\n", 1)[1])
    expect(shell.run("aws dynamodb list-tables --query \"TableNames[?starts_with(@, 'rollcall-two-')]\" --output json"), "[]")
    [_, variables] = blocks(GUIDE, "3. Deploy")
    shell.run(f"STACK=rollcall\n{variables}")
    if shell.run(USERS) != before:
        sys.exit("The first stack has lost users by the second one's end.")


def other_index(shell, pool):
    """The index of a later release beside the one that is read, filled, and out again: one is made or deleted in an update."""
    template = (BUILD / "build/template.yaml").read_text()
    index = re.search(r"(?m)^      - IndexName: by_account\n(?:(?:       .*|      - (?!IndexName).*)\n)*", template)
    another = template.replace(index[0], index[0] + index[0].replace("by_account", "by_account_2").replace("          - listed\n", "          - listed\n          - shift\n"), 1)
    assert "by_account_2" in another and "shift" in another
    (BUILD / "build/index.yaml").write_text(another)
    query = """aws dynamodb query --table-name "$TABLE" --index-name by_account_2 --select COUNT --query Count --key-condition-expression 'AccountPK = :a' --expression-attribute-values '{":a":{"S":"ACCT#acme#USERS"}}'"""
    deploy(shell, pool, "index.yaml")
    if int(shell.run(query).strip()) == 0:
        sys.exit("The second index is empty.")
    deploy(shell, pool)
    shell.run(query, fails=True)
    expect(shell.run(USERS), "user1")


def without_a_permission(shell, pool):
    """The same template but for one permission: the job fails, and its letter is dead. With it again, the letter is worked on."""
    template = (BUILD / "build/template.yaml").read_text()
    lacking, count = re.subn(r"(?s)(\n  BulkAppendRole:.*?)\n +- dynamodb:PartiQLUpdate\n", r"\1\n", template, count=1)
    assert count == 1, "the permission is in the template"
    (BUILD / "build/lacking.yaml").write_text(lacking)
    deploy(shell, pool, "lacking.yaml")
    shell.run("""
# On AWS it takes half an hour until a file comes again.
aws sqs set-queue-attributes --queue-url "$(output BulkAppendQueueUrl)" --attributes VisibilityTimeout=2
printf 'Login ID,Allowed Caller ID\\nuser1,9876500002\\n' > second.csv
aws s3 cp second.csv "s3://$BUCKET/inbox/acme/append-caller-ids/second.csv"
""")
    shell.until("the job is given up", JOBS, job(name="second.csv", state="failed"))
    letters, _ = blocks(RUNBOOK, "`…DeadLettersWait`")
    shell.until("its letter is dead", letters, lambda letter: "second.csv" in letter)
    deploy(shell, pool)
    # The runbook has SQS move the letter, which MiniStack can't.
    shell.run("""
LETTER=$(aws sqs receive-message --queue-url "$(output BulkAppendDeadLettersUrl)" --query 'Messages[0].Body' --output text)
aws sqs send-message --queue-url "$(output BulkAppendQueueUrl)" --message-body "$LETTER"
""")
    shell.until("the job has ended", JOBS, job(name="second.csv", state="finished"))
    expect(shell.run('ask "$API/v1/users/user1/caller-ids"'), '"caller_ids":["+919876500001","+919876500002"]')


def teardown(shell):
    export, delete = blocks(GUIDE, "Teardown, with nothing lost")
    shell.run("aws s3 mb s3://my-archive")
    shell.run(export)
    shell.run(f"{SAM} delete --stack-name rollcall --no-prompts --region {REGION} 2>&1 | tail -3")
    # What is to stay does.
    shell.run('aws s3 ls "s3://$BUCKET/audit/"; aws dynamodb describe-table --table-name "$TABLE" --query Table.ItemCount')
    shell.run(delete)


if __name__ == "__main__":
    main()
