"""Makes one table hold what another holds: `python3 infra/restore.py FROM TO [--dry-run]`.

FROM is a table that was restored from a backup, TO is the stack's own. Items that differ or are missing are written, items that came later
are deleted, all others stay untouched, so the audit trail tells of each change of a user or a number. It can be run again: what is
equal by then is passed over. Let nobody write meanwhile (infra/docs/deploy.md, Restore).

For AWS CloudShell or any machine with boto3. Nothing that runs needs it.
"""

import sys

import boto3

KEY = ("PK", "SK")
# Requests that came with a key a day ago, and leases: they are over, and are never restored.
PASSING = ("ANSWER", "REFUSAL")


def items(client, table):
    """Every item by its key, strongly consistent, by pages."""
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            yield tuple(item[name]["S"] for name in KEY), item


def normal(value):
    """Sets have no order."""
    if isinstance(value, dict):
        return {key: sorted(one) if key in ("SS", "NS", "BS") else normal(one) for key, one in value.items()}
    return [normal(one) for one in value] if isinstance(value, list) else value


def write(client, table, requests):
    for start in range(0, len(requests), 25):
        left = {table: requests[start : start + 25]}
        while left:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]


def main(source, target, dry_run=False):
    client = boto3.client("dynamodb")
    wanted = {key: item for key, item in items(client, source) if key[1] not in PASSING}
    puts, deletes = [], []
    for key, item in items(client, target):
        if key[1] in PASSING:
            continue
        restored = wanted.pop(key, None)
        if restored is None:
            deletes.append({"DeleteRequest": {"Key": {name: item[name] for name in KEY}}})
        elif normal(restored) != normal(item):
            puts.append({"PutRequest": {"Item": restored}})
    puts += [{"PutRequest": {"Item": item}} for item in wanted.values()]
    print(f"{len(puts)} items to write, {len(deletes)} to delete")
    if not dry_run:
        # What comes first, so that a claim is never without its user.
        write(client, target, puts)
        write(client, target, deletes)
        print("Done.")


if __name__ == "__main__":
    arguments = [one for one in sys.argv[1:] if one != "--dry-run"]
    if len(arguments) != 2:
        sys.exit(__doc__)
    main(*arguments, dry_run="--dry-run" in sys.argv)
