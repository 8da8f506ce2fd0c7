// What an engineer would write in an afternoon who wants it fast: statements in batches of 25, many batches in flight.
//
//     node append.mjs FILE --table NAME --endpoint URL --account NAME [--in-flight N] [--failures FILE]
//
// It reads the file, groups numbers by user, adds each user's to the list by one statement, repeats what the table puts off,
// and writes a file of what failed. Prints what it did as one line of JSON. Credentials and region come from the environment.
// Interpreter, imports and client are there before its clock starts.

import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { BatchExecuteStatementCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import sdk from '@aws-sdk/client-dynamodb/package.json' with { type: 'json' };

const NUMBER = /^\+[1-9][0-9]{7,14}$/;
const BATCH = 25;
/** How often a statement is sent at most. */
const ATTEMPTS = 10;
const PUT_OFF = new Set(['ThrottlingError', 'ProvisionedThroughputExceeded', 'RequestLimitExceeded', 'InternalServerError']);

/** The numbers of each user, by login, the rows that can't be used, and how many rows there are. */
function read(path) {
  const wanted = new Map(), failed = [];
  const lines = readFileSync(path, 'utf8').split(/\r?\n/).slice(1).filter(Boolean);
  for (const line of lines) {
    const [login, cell] = line.split(',');
    const numbers = (cell ?? '').split(';');
    if (!login || line.includes('"') || !numbers.every(number => NUMBER.test(number))) {
      failed.push([login, cell, 'bad row']);
      continue;
    }
    const of = wanted.get(login);
    if (of) numbers.forEach(number => of.add(number));
    else wanted.set(login, new Set(numbers));
  }
  return { wanted, failed, rows: lines.length };
}

const { values: options, positionals: [file] } = parseArgs({
  allowPositionals: true,
  options: {
    table: { type: 'string' }, endpoint: { type: 'string' }, account: { type: 'string' },
    'in-flight': { type: 'string', default: '16' }, failures: { type: 'string', default: 'failed.csv' },
  },
});
const client = new DynamoDBClient({ endpoint: options.endpoint, maxAttempts: ATTEMPTS });
const update = `UPDATE "${options.table}" SET caller_ids = set_add(caller_ids, ?) WHERE PK = ? AND SK = ?`;

/** Sends a batch until nothing of it is put off. Gives what failed. */
async function append(batch) {
  const failed = [];
  for (let attempt = 1; batch.length > 0; attempt += 1) {
    const Statements = batch.map(([login, numbers]) => ({
      Statement: update,
      Parameters: [{ SS: [...numbers] }, { S: `ACCT#${options.account}#USER#${login.toLowerCase()}` }, { S: 'USER' }],
    }));
    const errors = await client.send(new BatchExecuteStatementCommand({ Statements })).then(
      answer => answer.Responses.map(one => one.Error?.Code), error => batch.map(() => error.name));
    const again = [];
    errors.forEach((code, at) => {
      if (PUT_OFF.has(code) && attempt < ATTEMPTS) again.push(batch[at]);
      else if (code) failed.push([batch[at][0], [...batch[at][1]].join(';'), code]);
    });
    batch = again;
    if (batch.length > 0) await wait(Math.random() * Math.min(1000, 25 * 2 ** attempt));
  }
  return failed;
}

const start = performance.now(), before = process.cpuUsage();
const { wanted, failed, rows } = read(file);
const users = [...wanted];
let next = 0;
async function work() {
  while (next < users.length) {
    const batch = users.slice(next, next += BATCH);
    failed.push(...await append(batch));
  }
}
await Promise.all(Array.from({ length: Number(options['in-flight']) }, work));
const quoted = cell => `"${String(cell ?? '').replaceAll('"', '""')}"`;
const table = [['Login ID', 'Allowed Caller ID', 'Error'], ...failed];
writeFileSync(options.failures, table.map(row => row.map(quoted).join(',')).join('\n') + '\n');
const used = process.cpuUsage(before);
console.log(JSON.stringify({
  rows, users: users.length, failed: failed.length, seconds: (performance.now() - start) / 1e3,
  cpu_seconds: (used.user + used.system) / 1e6, peak_megabytes: process.resourceUsage().maxRSS / 1024,
  versions: `Node ${process.versions.node}, @aws-sdk/client-dynamodb ${sdk.version}`,
}));
client.destroy();
