// Rows of a job's result files: read in part, straight from the bucket.
import { Problem, ask } from './api.js';
import { parse, unguard } from './csv.js';

/** Bytes that are read for the table: some hundreds of rows. */
const PART = 262_144;
/** The columns that the product adds, by the name in the file. */
const OWN = { Line: 'line', Status: 'status', 'Error Code': 'codes', 'Error Field': 'fields', 'Error Value': 'values',
  'Error Message': 'messages' };
/** Columns that several kinds add before those. */
const EXTRA = ['Asked At'];

/** The link to a file: `results` or `failures`; null where there is none. */
export async function linkTo(job, file) {
  try {
    return (await ask('GET', ['jobs', job, file], { accept: 'application/json' })).data;
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/**
 * The first rows of a file, each as what the row says and what came of it.
 * @returns {Promise<{columns: string[], rows: any[], whole: boolean, size: number} | null>}
 */
export async function firstRows(job, file) {
  const link = await linkTo(job, file);
  if (!link) return null;
  if (!link.size) return { columns: [], rows: [], whole: true, size: 0 };
  const answer = await fetch(link.url, { headers: { range: `bytes=0-${Math.min(PART, link.size) - 1}` } }).catch(() =>
    null);
  if (!answer?.ok) throw new Problem({ status: answer?.status ?? 0, code: answer ? '' : 'OFFLINE', detail: answer
    ? 'The bucket doesn’t give the file.' : '' });
  const whole = link.size <= PART;
  let text = await answer.text();
  if (!whole) text = text.slice(0, text.lastIndexOf('\n') + 1);
  const records = parse(text);
  const header = records.shift() ?? [];
  // The product's columns are the last ones of these names: a file that was dropped again has the old ones too.
  const at = Object.fromEntries(Object.entries(OWN).map(([name, key]) => [key, header.lastIndexOf(name)]));
  const own = new Set(Object.values(at));
  const columns = header.map((name, nth) => ({ name, nth }))
    .filter(({ name, nth }) => !own.has(nth) && !EXTRA.includes(name) && !(name in OWN));
  const rows = records.map((record, nth) => {
    const cell = key => (at[key] >= 0 ? unguard(record[at[key]] ?? '') : '');
    const list = key => cell(key).split('; ').filter(Boolean);
    const said = columns.map(column => [column.name, unguard(record[column.nth] ?? '')]);
    return {
      key: `${nth}`, line: cell('line'), status: cell('status'), codes: list('codes'), fields: list('fields'),
      message: cell('messages'), said: said.filter(([, value]) => value),
    };
  });
  return { columns: columns.map(({ name }) => name), rows, whole, size: link.size };
}

/** Has the browser save a file. */
export async function download(job, file) {
  const link = await linkTo(job, file);
  if (!link) throw new Problem({ status: 404, detail: 'There is no such file: no row failed, or it has expired.' });
  // The address says that it is an attachment, so this page stays.
  location.assign(link.url);
}
