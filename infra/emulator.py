"""What infra/emulator does once its tools are there: it starts MiniStack, and plays somebody who deploys and uses Rollcall.

Every request goes by TLS and is signed, and MiniStack judges it by the roles, users and policies that it has been told of
(AUTH=true), so a permission that the template forgets fails the run; at the end the run takes one away to see that.
"""

import json
import pathlib
import re
import sys
import tempfile

from emulator_phone import LOGIN, smartflo
from emulator_shell import BUILD, MINISTACK, REGION, SAM, amend, emulator, routes

ROOT = pathlib.Path.cwd()
GUIDE = pathlib.Path("infra/docs/deploy.md").read_text()
RUNBOOK = pathlib.Path("infra/docs/runbook.md").read_text()


def main():
    amend()
    people = {314001: "user1", 314002: "user2"}
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-emulator-") as home,
        emulator(home) as shell,
        smartflo(people, "+919876500001") as phone_system,
    ):
        spelled(shell)
        shell.run(f"export STACK=rollcall SENDER=reports@example.com SMARTFLO=http://127.0.0.1:{phone_system.server_port}")
        sender(shell)
        pool = tokens(shell)
        build(shell)
        refused(shell, pool)
        half_deleted(shell)
        failed_first(shell, pool)
        deploy(shell, pool)
        routes("rollcall")
        account(shell)
        first_file(shell)
        other_jobs(shell)
        console(shell)
        provisioned(shell)
        told(shell, phone_system)
        every_function_has_run(shell)
        restored(shell)
        second_stack(shell, pool)
        other_index(shell, pool)
        without_a_permission(shell, pool)
        teardown(shell)
    print("The template deploys, its roles suffice, and the guide's commands do what it says.")


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
            # Those of S3 have no such option, `configure` and `sso` are others in version 2, and what asks others first is run.
            if not command.startswith(("aws s3 ", "aws configure ", "aws sso ")) and "$(" not in command and command.count("'") % 2 == 0:
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
        "PushRate": "rate(1 minute)",
        "SmartfloUrl": "$SMARTFLO",
    } | others
    # SAM takes quotes of its own around what has a space.
    answers = " ".join(rf'{name}="\"{value}\""' for name, value in parameters.items())
    printed = shell.run(
        f"{SAM} deploy --config-file {ROOT}/samconfig.toml --template-file {BUILD}/build/{template} --no-confirm-changeset --stack-name {stack}"
        f" --parameter-overrides {answers} > {BUILD}/deploy.log 2>&1 || {{ tail -50 {BUILD}/deploy.log; false; }}",
        fails=fails,
    )
    if not fails:
        *_, variables = blocks(GUIDE, "3. Deploy")
        shell.run(f"STACK={stack}\n{variables}")
    return printed


def refused(shell, pool):
    """Bad input, before anything is made."""
    look = lambda stack, issuer, sender: shell.run(f"{ROOT}/infra/preflight {stack} {issuer} {sender}", fails=True)
    expect(look("x" * 128, "https://issuer.invalid", "rollcall@example.com"), "has 128 letters", "is the template's default")
    expect(look("rollcall", "https://127.0.0.1:9", "nobody@example.org"), "doesn't answer within 1.5 seconds", "neither nobody@example.org nor its domain")
    expect(look("roll_call", "http://example.com", "$SENDER"), "letters, digits and hyphens", "must be an https address")
    for name, value, told in [
        ("JwtIssuer", "https://issuer.invalid", "JwtIssuer must be given"),
        ("MailSender", "rollcall@example.com", "MailSender must be given"),
        # What functions would refuse when they start.
        ("MaxRows", "1.5", "a whole number from 1 to"),
        ("MaxDeliveries", "1", "a whole number from 2 to"),
        ("ResyncRate", "rate(1.5 hours)", "such as rate(1 hour)"),
    ]:
        expect(deploy(shell, pool, stack="refused", fails=True, **{name: value}), told)
    if tables(shell, "refused"):
        sys.exit("Something was made of a stack that is refused.")


def state(stack):
    return f"aws cloudformation describe-stacks --stack-name {stack} --query 'Stacks[0].StackStatus' --output text"


def tables(shell, stack):
    """The tables that a stack has, or has left."""
    return json.loads(shell.run(f"aws dynamodb list-tables --query \"TableNames[?starts_with(@, '{stack}-DirectoryTable-')]\" --output json"))


def half_deleted(shell):
    """A stack whose deletion has failed, here for a network that somebody else uses, is told of before anything is made. AWS itself
    doesn't update it then, which MiniStack would:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
    """
    shell.run("""
printf '{"Resources":{"Held":{"Type":"AWS::EC2::VPC","Properties":{"CidrBlock":"10.0.0.0/16"}}}}' > half.json
aws cloudformation create-stack --stack-name half --template-body file://half.json --query StackId
""")
    shell.until("there is a stack", state("half"), lambda status: "CREATE_COMPLETE" in status)
    shell.run("""
HELD=$(aws cloudformation describe-stack-resources --stack-name half --query 'StackResources[0].PhysicalResourceId' --output text)
SUBNET=$(aws ec2 create-subnet --vpc-id "$HELD" --cidr-block 10.0.0.0/24 --query Subnet.SubnetId --output text)
aws cloudformation delete-stack --stack-name half
""")
    shell.until("it is half deleted", state("half"), lambda status: "DELETE_FAILED" in status)
    expect(shell.run(f"{ROOT}/infra/preflight half https://issuer.invalid $SENDER", fails=True), "is half deleted (DELETE_FAILED)")
    shell.run('aws ec2 delete-subnet --subnet-id "$SUBNET"; sam delete --stack-name half --no-prompts --region "$AWS_REGION"')
    shell.run(state("half"), fails=True)


def failed_first(shell, pool):
    """The last resource of a first deployment fails: what was made goes, but for the table. After the guide's way out it can be tried again."""
    template = (BUILD / "build/template.yaml").read_text()
    resources = template.split("\nResources:\n")[1].split("\nOutputs:\n")[0]
    others = ", ".join(re.findall(r"(?m)^  (\w+):$", resources))
    taken = f"  Taken:\n    Type: AWS::Events::EventBus\n    DependsOn: [{others}]\n    Properties:\n      Name: taken\n"
    (BUILD / "build/failing.yaml").write_text(template.replace("\nResources:\n", "\nResources:\n" + taken))
    shell.run("aws events create-event-bus --name taken")
    deploy(shell, pool, "failing.yaml", fails=True)
    shell.until("it is rolled back", state("rollcall"), lambda status: "ROLLBACK_COMPLETE" in status)
    events = "aws cloudformation describe-stack-events --stack-name rollcall --query \"StackEvents[?ResourceStatus=='{}'].LogicalResourceId\" --output text"
    expect(shell.run(events.format("CREATE_FAILED")), "Taken")
    expect(shell.run(events.format("CREATE_COMPLETE")), "UsersApiFunction", "FilesBucket")
    expect(shell.run(f"{ROOT}/infra/preflight rollcall https://issuer.invalid $SENDER", fails=True), "first deployment failed (ROLLBACK_COMPLETE)")
    left = shell.run("aws s3api list-buckets --query \"Buckets[?starts_with(Name, 'rollcall-filesbucket-')].Name\" --output json")
    if json.loads(left) or len(tables(shell, "rollcall")) != 1:
        sys.exit("A failed first deployment leaves the table, and nothing else.")
    [way_out] = blocks(GUIDE, "When a deployment fails")
    expect(shell.run(way_out), "0")
    if tables(shell, "rollcall"):
        sys.exit("The guide's way out leaves the table.")
    printed = shell.run(f"{ROOT}/infra/preflight rollcall https://issuer.invalid $SENDER", fails=True)
    if "first deployment failed" in printed or "is left of" in printed:
        sys.exit("After the way out something is in the way still.")


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
    expect(shell.run(mails), "1 of 2 rows of first.csv need correction", "ops@example.com")
    expect(shell.run('dropper aws s3 ls "s3://$BUCKET/results/acme/"', fails=True), "AccessDenied")


# The newest jobs: the schedule's come in between.
JOBS = 'ask "$API/v1/jobs?limit=50"'


def job(**facts):
    """Whether a list of jobs has one of which this is so."""
    return lambda jobs: any(facts.items() <= job.items() for job in json.loads(jobs)["items"])


def other_jobs(shell):
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


def console(shell):
    """The page, which is open to everybody, and one of its files."""
    expect(shell.run('curl -sf "$(output ConsoleUrl)" > page.html; cat page.html'), "<html", "Rollcall")
    expect(shell.run("""FILE=$(grep -o '/console/[^"]*[.]js' page.html | head -n 1); curl -sf "$API$FILE" """), "import")


def provisioned(shell):
    """A company's directory pushes somebody in, by a key that is deleted after it."""
    # The guide's commands ask the API, whose name below localhost curl alone finds.
    shell.run("""KEY=$(ask "$API/v1/directory/scim-keys" -d '{"name":"Entra ID"}' | grep -o '"token":"[^"]*' | cut -d'"' -f4)""")
    shell.run("""scim() { curl -s -H "Authorization: Bearer $KEY" -H 'Content-Type: application/scim+json' "$@"; echo; }""")
    maya = '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"maya","displayName":"Maya Pillai","active":true}'
    expect(shell.run(f"""scim "$API/scim/v2/Users" -d '{maya}'"""), '"userName":"maya"')
    expect(shell.run("""scim "$API/scim/v2/Users?filter=userName%20eq%20%22maya%22" """), '"totalResults":1')
    expect(shell.run('ask "$API/v1/users/maya"'), '"name":"Maya Pillai"', '"web_login":"active"')
    expect(shell.run('curl -s -o /dev/null -w "%{http_code}" -H "Authorization: Bearer nobody" "$API/scim/v2/Users"'), "403")
    expect(shell.run('ask "$API/v1/directory/scim-keys" > keys.json; cat keys.json'), '"name":"Entra ID"')
    shell.run("""ask -X DELETE "$API/v1/directory/scim-keys/$(grep -o '"id":"[0-9a-f]*' keys.json | cut -d'"' -f4)" """)
    expect(shell.run('ask "$API/v1/directory/scim-keys"'), '"items":[]')


def told(shell, phone_system):
    """A phone system is told what everybody may dial from, as soon as it is chosen."""
    (BUILD / "smartflo.json").write_text(json.dumps(LOGIN))
    shell.run(f"""
aws secretsmanager create-secret --name "rollcall/$STACK/acme/smartflo" --secret-string file://{BUILD}/smartflo.json --query Name
ask -X PATCH "$API/v1/settings" -d '{{"phone_system":"smartflo"}}'
""")
    numbers = {"user1": ["70000"], "user2": ["70000"]}
    shell.until("the phone system is told", 'ask "$API/v1/phone-system"', lambda _: phone_system.numbers == numbers)
    shell.until("that is known", 'ask "$API/v1/users/user2"', lambda user: '"switch":{"state":"in_step"' in user)
    shell.run("""ask -X PATCH "$API/v1/settings" -d '{"phone_system":"builtin"}'""")


def every_function_has_run(shell):
    """Those of the template, and none has logged an error."""
    functions = re.findall(r"(?m)^ *Binary: (\S+)$", (ROOT / "infra/template.yaml").read_text())
    logs = "for group in $(aws logs describe-log-groups --log-group-name-prefix /aws/lambda/rollcall/ --query 'logGroups[].logGroupName' --output text); do echo $group; aws logs filter-log-events --log-group-name $group --query 'events[].message' --output text; done"
    has_run = lambda lines: all(re.search(rf"/aws/lambda/rollcall/{name}\nSTART", lines) for name in functions)
    shell.until("every function has run", logs, has_run)
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
    shell.run('sam delete --stack-name rollcall-two --no-prompts --region "$AWS_REGION"')
    # What a stack leaves, and a failed first deployment too, is told of, and goes as the guide has it.
    expect(shell.run(f"{ROOT}/infra/preflight rollcall-two https://issuer.invalid $SENDER", fails=True), "is left of an earlier stack")
    [way_out] = blocks(GUIDE, "When a deployment fails")
    shell.run(way_out.split("\n", 1)[1])
    if tables(shell, "rollcall-two"):
        sys.exit("The guide's way out leaves the table.")
    *_, variables = blocks(GUIDE, "3. Deploy")
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
    shell.run('sam delete --stack-name rollcall --no-prompts --region "$AWS_REGION"')
    # What is to stay does.
    shell.run('aws s3 ls "s3://$BUCKET/audit/"; aws dynamodb describe-table --table-name "$TABLE" --query Table.ItemCount')
    shell.run(delete)


if __name__ == "__main__":
    main()
