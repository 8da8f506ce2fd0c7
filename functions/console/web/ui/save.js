// Lists as files.
import { ask, explain } from '../core/api.js';
import { save } from '../core/csv.js';
import { counted } from '../core/format.js';
import { notify } from './notices.js';

/** Fetches a list as CSV, and has the browser save it. `one` is what a row is. */
export async function saveList(path, query, name, one) {
  try {
    const { data } = await ask('GET', path, { query, accept: 'text/csv' });
    save(name, data);
    notify(`${name} is saved: ${counted(data.trimEnd().split('\n').length - 1, one)}.`);
  } catch (error) {
    notify(explain(error).title, { tone: 'bad' });
  }
}
