"""What somebody would write who appends a file's caller IDs with boto3, many requests in flight.

    append.py FILE --table NAME --endpoint URL --account NAME [--batches] [--workers N] [--failures FILE]

It reads the file, groups numbers by user, adds each user's to the list in one UpdateItem on condition that the user is
there, and writes a file of what failed. With --batches it sends statements, 25 in a request, and repeats what the table
puts off. Prints what it did as one line of JSON. Credentials and region come from the
environment. Interpreter, imports and client are there before its clock starts.
"""

import argparse
import csv
import json
import random
import re
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BATCH = 25
ATTEMPTS = 10
PUT_OFF = {"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "InternalServerError"}
NUMBER = re.compile(r"\+[1-9][0-9]{7,14}")


def read(path):
    """The numbers of each user, by login, and the rows that can't be used. Also how many rows there are."""
    wanted, failed, rows = {}, [], 0
    with open(path, newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            rows += 1
            login = (row["Login ID"] or "").strip().lower()
            numbers = [number.strip() for number in (row["Allowed Caller ID"] or "").split(";")]
            if login and all(NUMBER.fullmatch(number) for number in numbers):
                wanted.setdefault(login, set()).update(numbers)
            else:
                failed.append((row["Login ID"], row["Allowed Caller ID"], "bad row"))
    return wanted, failed, rows


def append(client, table, account, login, numbers):
    """Adds the numbers to the user's list. Gives why it could not, or nothing."""
    try:
        client.update_item(
            TableName=table,
            Key={"PK": {"S": f"ACCT#{account}#USER#{login}"}, "SK": {"S": "USER"}},
            UpdateExpression="ADD caller_ids :numbers",
            ConditionExpression="attribute_exists(PK)",
            ExpressionAttributeValues={":numbers": {"SS": list(numbers)}},
        )
    except ClientError as error:
        return error.response["Error"]["Code"]
    except BotoCoreError as error:
        return type(error).__name__
    return None


def append_batch(client, table, account, batch):
    """Adds the numbers of several users to their lists. Gives for each why it could not, or nothing."""
    statement = f'UPDATE "{table}" SET caller_ids = set_add(caller_ids, ?) WHERE PK = ? AND SK = ?'
    errors, waiting = [None] * len(batch), list(range(len(batch)))
    for attempt in range(1, ATTEMPTS + 1):
        statements = [
            {
                "Statement": statement,
                "Parameters": [{"SS": list(numbers)}, {"S": f"ACCT#{account}#USER#{login}"}, {"S": "USER"}],
            }
            for login, numbers in (batch[at] for at in waiting)
        ]
        try:
            answers = client.batch_execute_statement(Statements=statements)["Responses"]
            codes = [answer.get("Error", {}).get("Code") for answer in answers]
        except ClientError as error:
            codes = [error.response["Error"]["Code"]] * len(waiting)
        except BotoCoreError as error:
            codes = [type(error).__name__] * len(waiting)
        for at, code in zip(waiting, codes):
            errors[at] = code
        waiting = [at for at in waiting if errors[at] in PUT_OFF]
        if not waiting:
            break
        time.sleep(random.random() * min(1, 0.025 * 2**attempt))
    return errors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--table", required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--account", required=True)
    parser.add_argument("--batches", action="store_true")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--failures", default="failed.csv")
    options = parser.parse_args()
    # A connection for each worker, or they wait for one another; and more attempts than the three that standard gives up after.
    config = Config(
        max_pool_connections=options.workers, retries={"mode": "standard", "total_max_attempts": 10}, tcp_keepalive=True
    )
    # A client, which threads may share; a resource they may not, and it is slower.
    client = boto3.client("dynamodb", endpoint_url=options.endpoint, config=config)

    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    wanted, failed, rows = read(options.file)
    with ThreadPoolExecutor(options.workers) as workers:
        if options.batches:
            users = list(wanted.items())
            batches = [users[at : at + BATCH] for at in range(0, len(users), BATCH)]
            done = workers.map(lambda batch: append_batch(client, options.table, options.account, batch), batches)
            errors = (error for batch in done for error in batch)
        else:
            errors = workers.map(lambda user: append(client, options.table, options.account, *user), wanted.items())
        for (login, numbers), error in zip(wanted.items(), errors):
            if error:
                failed.append((login, ";".join(sorted(numbers)), error))
    with open(options.failures, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Login ID", "Allowed Caller ID", "Error"])
        writer.writerows(failed)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    json.dump(
        {
            "rows": rows,
            "users": len(wanted),
            "failed": len(failed),
            "seconds": seconds,
            "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "peak_megabytes": after.ru_maxrss / 1024,
            "versions": f"Python {sys.version.split()[0]}, boto3 {boto3.__version__}",
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
