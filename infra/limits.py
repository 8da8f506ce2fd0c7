"""Limits of AWS that no emulator and no linter has, held against the template as SAM translates it.

    limits.py [TEMPLATE]        what the template breaks, one line each
    limits.py --self-test       plants a violation for every check, and sees that the check tells of it

Sizes are reckoned for a stack name of 32 characters in the region with the longest name; each limit keeps a tenth in hand. Run by
infra/check with the Python of SAM's own installation, which has the translator.
"""

import copy
import json
import os
import re
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "ap-southeast-1")

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

STACK, REGION, ACCOUNT, SUFFIX = "x" * 32, "ap-southeast-1", "123456789012", "A1B2C3D4E5F6"

# Lambda: 20 KB of a function's resource-based policy, which can't be raised; 4 KB of environment.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
FUNCTION_POLICY, ENVIRONMENT = 18 * 1024, 4096 * 9 // 10
# CloudFormation: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
RESOURCES, OUTPUTS, PARAMETERS, TEMPLATE_BYTES = 450, 180, 180, 900_000
# IAM counts a role's inline policies together, and no white space. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
ROLE_POLICIES, TRUST_POLICY = 10_240 * 9 // 10, 2_048
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
QUEUE_POLICY = 8_192 * 9 // 10
# HTTP APIs: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
ROUTES = 270
# EventBridge answers "Rule is too complex". Its engine (aws/event-ruler, MachineComplexityEvaluator) counts the prefixes of wildcards
# that one input can match at once. The bound is written nowhere: 9 was taken and 12 refused, as was reported.
COMPLEXITY = 9

# The metrics that alarms may be of, with the dimensions under which AWS sends them. A metric that isn't here has no data, as far as
# we know: look it up in the service's list of metrics before it is added.
ALARM_METRICS = {
    ("AWS/DynamoDB", "ReadThrottleEvents"): [{"TableName"}, {"TableName", "GlobalSecondaryIndexName"}],
    ("AWS/DynamoDB", "WriteThrottleEvents"): [{"TableName"}, {"TableName", "GlobalSecondaryIndexName"}],
    ("AWS/Lambda", "Errors"): [{"FunctionName"}],
    ("AWS/Lambda", "Throttles"): [{"FunctionName"}],
    # Of functions that read a stream.
    ("AWS/Lambda", "IteratorAge"): [{"FunctionName"}],
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): [{"QueueName"}],
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): [{"QueueName"}],
    # Of HTTP APIs; those of REST APIs are called otherwise.
    ("AWS/ApiGateway", "5xx"): [{"ApiId"}],
    ("AWS/SES", "Bounce"): [{"ses:configuration-set"}],
    ("AWS/SES", "Complaint"): [{"ses:configuration-set"}],
}
# Properties that give a resource a name of its own.
NAMES = """AlarmName ApiName BucketName ConfigurationSetName DashboardName FunctionName LogGroupName Name PolicyName QueueName RoleName
    RuleName TableName TopicName UserPoolName""".split()
# Where such a property names another resource, or something in this one alone.
NOT_NAMES = {"AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping", "AWS::SES::ConfigurationSetEventDestination"}
NAME_LENGTHS = {"AWS::Lambda::Function": 64, "AWS::IAM::Role": 64, "AWS::SQS::Queue": 80, "AWS::S3::Bucket": 63}


def translated(text):
    template = yaml_parse(text)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://aws-sam-cli-managed-default-samclisourcebucket/" + "0" * 32
    return transform(template, {}, type("NoPolicies", (), {"load": lambda self: {}})())


class Template:
    """A translated template, and what its values come to at their longest."""

    def __init__(self, body):
        self.body = body
        self.resources = body["Resources"]

    def of(self, kind):
        return [(name, resource.get("Properties", {})) for name, resource in self.resources.items() if resource["Type"] == kind]

    def name(self, logical):
        kind = self.resources[logical]["Type"]
        return f"{STACK}-{logical}-{SUFFIX}"[-NAME_LENGTHS.get(kind, 255) :]

    def arn(self, logical):
        service = self.resources[logical]["Type"].split("::")[1].lower()
        if service == "s3":
            return f"arn:aws:s3:::{self.name(logical)}"
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{'function:' if service == 'lambda' else ''}{self.name(logical)}"

    def reference(self, target):
        pseudo = {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::StackName": STACK, "AWS::URLSuffix": "amazonaws.com"}
        parameters = self.body.get("Parameters", {})
        if target in pseudo:
            return pseudo[target]
        if target in parameters:
            # What somebody may write at length.
            given, free = str(parameters[target].get("Default", "")), parameters[target].get("Type") == "String" and "AllowedValues" not in parameters[target]
            return given.ljust(128, "x") if free else given
        return self.name(target) if target in self.resources else target

    def attribute(self, path):
        logical, attribute = path if isinstance(path, list) else path.split(".", 1)
        return self.arn(logical) + ("/stream/2026-01-01T00:00:00.000" if attribute == "StreamArn" else "") if attribute.endswith("Arn") else self.name(logical)

    def value(self, value):
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "Ref" in value:
            return self.reference(value["Ref"])
        if "Fn::GetAtt" in value:
            return self.attribute(value["Fn::GetAtt"])
        if "Fn::Sub" in value:
            text, own = (value["Fn::Sub"], {}) if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"]

            def found(name):
                return self.value(own[name]) if name in own else self.attribute(name) if "." in name else self.reference(name)

            return re.sub(r"\$\{([^!}]+)\}", lambda name: str(found(name[1])), text)
        return {key: self.value(one) for key, one in value.items()}

    def size(self, value):
        return len(json.dumps(self.value(value), separators=(",", ":")))


def many(value):
    return value if isinstance(value, list) else [value]


def function_policies(template):
    policies = {}
    for name, permission in template.of("AWS::Lambda::Permission"):
        function = permission["FunctionName"]
        statement = {
            # As get-policy prints it.
            "Sid": f"{STACK}-{name}-{SUFFIX}",
            "Effect": "Allow",
            "Principal": {"Service": permission["Principal"]},
            "Action": permission["Action"],
            "Resource": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{template.value(function)}",
            "Condition": {"ArnLike": {"AWS:SourceArn": permission.get("SourceArn", "")}},
        }
        policies.setdefault(json.dumps(function), []).append(statement)
    for function, statements in policies.items():
        size = template.size({"Version": "2012-10-17", "Id": "default", "Statement": statements})
        if size > FUNCTION_POLICY:
            yield f"the policy of {function} has {size} bytes of {len(statements)} permissions: at most {FUNCTION_POLICY}"


def counts(template):
    for what, most in [("Resources", RESOURCES), ("Outputs", OUTPUTS), ("Parameters", PARAMETERS)]:
        if len(template.body.get(what, {})) > most:
            yield f"the template has {len(template.body[what])} {what}: at most {most}"
    size = len(json.dumps(template.body))
    if size > TEMPLATE_BYTES:
        yield f"the translated template has {size} bytes: at most {TEMPLATE_BYTES}"
    for name, api in template.of("AWS::ApiGatewayV2::Api"):
        routes = sum(len(methods) for methods in api.get("Body", {}).get("paths", {}).values())
        if routes > ROUTES:
            yield f"{name} has {routes} routes: at most {ROUTES}"


def roles(template):
    for name, role in template.of("AWS::IAM::Role"):
        size = sum(template.size(policy["PolicyDocument"]) for policy in role.get("Policies", []))
        if size > ROLE_POLICIES:
            yield f"the policies of {name} have {size} characters: at most {ROLE_POLICIES}"
        if template.size(role["AssumeRolePolicyDocument"]) > TRUST_POLICY:
            yield f"the trust policy of {name} has more than {TRUST_POLICY} characters"


def environments(template):
    for name, function in template.of("AWS::Lambda::Function"):
        size = template.size(function.get("Environment", {}).get("Variables", {}))
        if size > ENVIRONMENT:
            yield f"the environment of {name} has {size} bytes: at most {ENVIRONMENT}"


def queue_policies(template):
    for name, policy in template.of("AWS::SQS::QueuePolicy"):
        queues = [template.value(queue) for queue in policy["Queues"]]
        if len(queues) != 1:
            yield f"{name} is of {len(queues)} queues: SQS takes a policy of one queue"
        for statement in policy["PolicyDocument"]["Statement"]:
            named = [template.value(resource) for resource in many(statement["Resource"])]
            if any(resource != "*" and not resource.endswith(":" + queues[0]) for resource in named):
                yield f"the statement {statement.get('Sid')} of {name} names another queue"
        if template.size(policy["PolicyDocument"]) > QUEUE_POLICY:
            yield f"{name} has more than {QUEUE_POLICY} characters"


def wildcards(pattern):
    if isinstance(pattern, dict):
        return [pattern["wildcard"]] if isinstance(pattern.get("wildcard"), str) else [found for one in pattern.values() for found in wildcards(one)]
    return [found for one in pattern for found in wildcards(one)] if isinstance(pattern, list) else []


def complexity(patterns):
    """The most prefixes of patterns that one text can match at once: each set of places that a text can lead to is visited."""

    def opened(places):
        # A star takes no character at all, too.
        while True:
            more = places | {(which, at + 1) for which, at in places if patterns[which][at : at + 1] == "*"}
            if more == places:
                return frozenset(places)
            places = more

    def step(places, char):
        stays = {(which, at) for which, at in places if at and patterns[which][at - 1] == "*"}
        goes = {(which, at + 1) for which, at in places if patterns[which][at : at + 1] == char and char != "*"}
        return opened(stays | goes)

    alphabet = sorted({char for pattern in patterns for char in pattern} - {"*"}) + ["\0"]
    first = opened({(which, 0) for which in range(len(patterns))})
    seen, waiting, most = {first}, [first], 0
    while waiting:
        places = waiting.pop()
        most = max(most, sum(at > 0 for _, at in places))
        for char in alphabet:
            after = step(places, char)
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return most


def rules(template):
    for name, rule in template.of("AWS::Events::Rule"):
        found = complexity(wildcards(rule.get("EventPattern", {})))
        if found > COMPLEXITY:
            yield f"the wildcards of {name} have a complexity of {found}: at most {COMPLEXITY}. A rule of its own for some of them"


def alarms(template, ours):
    for name, alarm in template.of("AWS::CloudWatch::Alarm"):
        metric = (alarm.get("Namespace"), alarm.get("MetricName"))
        dimensions = {dimension["Name"] for dimension in alarm.get("Dimensions", [])}
        if metric[0] == "Rollcall":
            if metric[1] not in ours:
                yield f"{name} waits for {metric[1]}, which nobody measures"
            elif dimensions != {"FunctionName"}:
                yield f"{name} has the dimensions {sorted(dimensions)}: our metrics have FunctionName alone"
        elif metric not in ALARM_METRICS:
            yield f"{name} waits for {metric[1]} of {metric[0]}, which isn't in the table of known metrics"
        elif dimensions not in ALARM_METRICS[metric]:
            yield f"{name}: {metric[1]} isn't sent with the dimensions {sorted(dimensions)}"
        for place in [dimension["Value"] for dimension in alarm.get("Dimensions", [])]:
            if isinstance(place, dict) and "Ref" in place and place["Ref"] not in template.resources:
                yield f"{name} is of {place['Ref']}, which is no resource"
        period, periods = alarm.get("Period"), alarm.get("EvaluationPeriods", 1)
        if isinstance(period, int) and period * periods > 86_400:
            yield f"{name} looks at more than a day"


def names(template):
    for name, resource in template.resources.items():
        if resource["Type"] in NOT_NAMES:
            continue
        for which in NAMES:
            value = resource.get("Properties", {}).get(which)
            if value is not None and "AWS::StackName" not in json.dumps(value):
                yield f"{name} has the fixed {which} {value}: a second stack could not be made"


def left_behind(template):
    """What a deployment that fails would leave."""
    for name, resource in template.resources.items():
        protected = resource.get("Properties", {}).get("DeletionProtectionEnabled")
        if resource.get("DeletionPolicy") == "Retain" and not protected:
            yield f"{name} stays after a first deployment that failed: RetainExceptOnCreate removes it then"


def measured():
    """The names of our own metrics, as the sources have them."""
    found = set()
    for folder in ["shared", "functions"]:
        for place, _, files in os.walk(folder):
            for file in files:
                if file.endswith(".rs"):
                    with open(os.path.join(place, file)) as source:
                        text = source.read()
                    if "measure(" in text:
                        found |= set(re.findall(r'\("([A-Z]\w+)", ', text))
    return found


CHECKS = [function_policies, counts, roles, environments, queue_policies, rules, lambda template: alarms(template, measured()), names, left_behind]


def faults(body):
    return [fault for check in CHECKS for fault in check(Template(body))]


def planted(body):
    """Templates that each break one limit, with what must be told of it."""
    resources = body["Resources"]

    def first(kind, where=lambda properties: True):
        return next(name for name, one in resources.items() if one["Type"] == kind and where(one.get("Properties", {})))

    def changed(change):
        template = copy.deepcopy(body)
        change(template["Resources"], template)
        return template

    permission, queue_policy = first("AWS::Lambda::Permission"), first("AWS::SQS::QueuePolicy")
    rule, role, function = first("AWS::Events::Rule"), first("AWS::IAM::Role"), first("AWS::Lambda::Function")
    alarm = first("AWS::CloudWatch::Alarm", lambda one: one["Namespace"] == "AWS/Lambda")
    own = first("AWS::CloudWatch::Alarm", lambda one: one["Namespace"] == "Rollcall")

    def set_in(name, value, *path):
        def change(resources, _):
            place = resources[name]
            for key in path[:-1]:
                place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
            place[path[-1]] = value

        return change

    def copies(count):
        return lambda resources, _: resources.update({f"{permission}{number}": copy.deepcopy(resources[permission]) for number in range(count)})

    many_resources = lambda resources, _: resources.update({f"Topic{number}": {"Type": "AWS::SNS::Topic"} for number in range(RESOURCES)})
    many_outputs = lambda _, template: template.setdefault("Outputs", {}).update({f"Output{number}": {"Value": "x"} for number in range(OUTPUTS + 1)})
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::" + "x" * 900}
    document = {"PolicyName": "large", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement] * 12}}
    four = [{"wildcard": f"*:stack/{name}/*"} for name in "abcd"]
    properties = "Properties"
    for change, told in [
        (copies(54), "permissions: at most"),
        (many_resources, "Resources: at most"),
        (many_outputs, "Outputs: at most"),
        (set_in(first("AWS::ApiGatewayV2::Api"), {f"/{number}": {"get": {}} for number in range(ROUTES + 1)}, properties, "Body", "paths"), "routes: at most"),
        (set_in(function, "x" * TEMPLATE_BYTES, properties, "Description"), "bytes: at most"),
        (set_in(role, [document], properties, "Policies"), f"the policies of {role}"),
        (set_in(role, {"Statement": ["x" * TRUST_POLICY]}, properties, "AssumeRolePolicyDocument"), f"the trust policy of {role}"),
        (set_in(function, "x" * 4096, properties, "Environment", "Variables", "LONG"), f"the environment of {function}"),
        (set_in(queue_policy, [{"Ref": "BulkAppendQueue"}, {"Ref": "BulkAppendDeadLetters"}], properties, "Queues"), "is of 2 queues"),
        (set_in(queue_policy, [{"Fn::GetAtt": ["BulkAppendQueue", "Arn"]}, {"Fn::GetAtt": ["BulkUsersQueue", "Arn"]}], properties, "PolicyDocument", "Statement", 0, "Resource"), "names another queue"),
        (set_in(rule, four, properties, "EventPattern", "detail", "object", "key"), "complexity of 12"),
        (set_in(alarm, "Errours", properties, "MetricName"), "table of known metrics"),
        (set_in(alarm, [{"Name": "Function", "Value": "x"}], properties, "Dimensions"), "isn't sent with the dimensions"),
        (set_in(alarm, [{"Name": "FunctionName", "Value": {"Ref": "Nobody"}}], properties, "Dimensions"), "is no resource"),
        (set_in(own, "Nothing", properties, "MetricName"), "nobody measures"),
        (set_in(own, [], properties, "Dimensions"), "FunctionName alone"),
        (set_in(alarm, 90_000, properties, "Period"), "more than a day"),
        (set_in(function, "fixed", properties, "FunctionName"), "fixed FunctionName"),
        (set_in("FilesBucket", "Retain", "DeletionPolicy"), "FilesBucket stays"),
    ]:
        yield changed(change), told
    schedule = first("AWS::Scheduler::Schedule")
    yield changed(set_in(schedule, "Visit", properties, "Name")), f"{schedule} has the fixed Name"


def self_test(body):
    assert complexity(["a*bcb"]) == 3 and complexity(["*ab*ad"]) == 4, "as event-ruler's own tests have it"
    assert complexity([f"*:stack/{name}/*" for name in "abc"]) == 9
    missed = [told for template, told in planted(body) if not any(told in fault for fault in faults(template))]
    for told in missed:
        print(f"A planted violation was not found: {told}")
    return not missed


def main(arguments):
    file = next((one for one in arguments if not one.startswith("--")), "infra/template.yaml")
    with open(file) as text:
        body = translated(text.read())
    if "--self-test" in arguments:
        return self_test(body)
    found = faults(body)
    for fault in found:
        print(fault)
    return not found


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
