// Many users, one action: always a job that is previewed first and can be undone.
import { html, useState } from '../core/html.js';
import { ask } from '../core/api.js';
import { parse, unguard, write } from '../core/csv.js';
import { count, counted } from '../core/format.js';
import { go } from '../core/router.js';
import { useCatalogue } from '../ui/catalogue.js';
import { Commands, line } from '../ui/command.js';
import { Dialog, open } from '../ui/dialog.js';
import { drop } from '../ui/drop.js';
import { Button, Select } from '../ui/parts.js';

/** What a column of a file of users can set for all chosen ones: its title, the column, and the values. */
const CHANGES = {
  enable: ['Enable agents', 'Agent Status', 'enabled'],
  disable: ['Disable agents', 'Agent Status', 'disabled'],
  block: ['Block agents', 'Agent Status', 'blocked'],
  unblock: ['Unblock web logins', 'Block Web Login', 'No'],
};
const KINDS = { role: ['roles', 'Role'], department: ['departments', 'Department'], team: ['teams', 'Team'] };

/** The bar over the list: how many are chosen, and what to do with them. */
export function Chosen({ chosen, clear, every, setEvery, asked, complete, total }) {
  const logins = async () => (every && !complete ? matching(asked) : [...chosen.keys()]);
  const number = every && !complete ? null : chosen.size;
  const words = number === null ? 'all that match' : counted(number, 'user');
  const dialog = content => open(close => content(close));
  return html`<div class="chosen" role="region" aria-label="Chosen users">
    <b role="status">${number === null ? 'All that match are chosen' : `${count(number)} chosen`}</b>
    ${!complete && total === null && (every
    ? html`<button type="button" class="link" onClick=${() => setEvery(false)}>Only the ${count(chosen.size)} that are
      shown</button>`
    : html`<button type="button" class="link" onClick=${() => setEvery(true)}>Choose all that match</button>`)}
    <${Button} onClick=${() => dialog(close => html`<${Append} logins=${logins} words=${words}
      close=${close} />`)}>Append caller IDs…<//>
    ${Object.entries(CHANGES).map(([key, [title, column, value]]) => html`<${Button} key=${key}
      onClick=${() => dialog(close => html`<${Change} logins=${logins} words=${words} title=${title} column=${column}
        value=${value} close=${close} />`)}>${title}…<//>`)}
    ${Object.entries(KINDS).map(([key, [list, column]]) => html`<${Button} key=${key}
      onClick=${() => dialog(close => html`<${Assign} logins=${logins} words=${words} list=${list} column=${column}
        close=${close} />`)}>Set ${key}…<//>`)}
    <${Button} kind="plain" onClick=${clear}>Choose none<//>
  </div>`;
}

/** The login IDs of all that the filters let through, in one request. */
async function matching(query) {
  const { data } = await ask('GET', 'users', { query, accept: 'text/csv' });
  const [header, ...rows] = parse(data, ',');
  const at = header.indexOf('Login ID');
  return rows.map(row => unguard(row[at]));
}

/** Drops a file about the users, as a preview, and shows the job. */
async function preview(kind, name, header, rows, progress) {
  const file = new Blob([write([header, ...rows])], { type: 'text/csv' });
  const id = await drop(file, { kind, name, preview: true }, progress);
  go(id ? ['jobs', id] : ['jobs']);
}

const Promise_ = ({ words }) => html`<p>A job previews it for <b>${words}</b>, shows each one, and changes nothing until
  you say so.
  What it did can be undone.</p>`;

function Append({ logins, words, close }) {
  const [numbers, setNumbers] = useState('');
  const list = numbers.split(/[\n;,]+/).map(one => one.trim()).filter(Boolean);
  const submit = async () => preview('append-caller-ids', 'chosen-users.csv', ['Login ID', 'Allowed Caller ID'],
    (await logins()).map(login => [login, list.join(';')]));
  return html`<${Dialog} title="Append caller IDs" word="Preview" close=${close} submit=${submit}
    ready=${list.length > 0}
    foot=${html`<${Commands} lines=${[line(['append', 'chosen-users.csv', '--preview'])]} />`}>
    <${Promise_} words=${words} />
    <div class="field"><label for="append-numbers">Numbers</label>
      <textarea id="append-numbers" rows="4" dir="ltr" value=${numbers} onInput=${event =>
        setNumbers(event.target.value)}
        aria-describedby="append-hint"></textarea>
      <p class="hint" id="append-hint">One on each line, or parted by semicolons. Nothing that is on a list is taken
        away.</p></div>
  <//>`;
}

function Change({ logins, words, title, column, value, close }) {
  const submit = async () => preview('upload-users', `${title.toLowerCase().replace(/ /g, '-')}.csv`, ['Login ID',
    column],
    (await logins()).map(login => [login, value]));
  return html`<${Dialog} title=${title} word="Preview" close=${close} submit=${submit}
    foot=${html`<${Commands} lines=${[line(['upload', `${title.toLowerCase().replace(/ /g, '-')}.csv`,
      '--preview'])]} />`}>
    <${Promise_} words=${words} />
    <p class="hint">The file has the columns <code>Login ID</code> and <code>${column}</code>, which is “${value}” in
      each row.</p><//>`;
}

function Assign({ logins, words, list, column, close }) {
  const [value, setValue] = useState('');
  const entries = useCatalogue(list);
  const submit = async () => preview('upload-users', `set-${column.toLowerCase()}.csv`, ['Login ID', column],
    (await logins()).map(login => [login, value]));
  return html`<${Dialog} title=${`Set the ${column.toLowerCase()}`} word="Preview" close=${close} submit=${submit}
    ready=${Boolean(value)}
    foot=${html`<${Commands} lines=${[line(['upload', `set-${column.toLowerCase()}.csv`, '--preview'])]} />`}>
    <${Promise_} words=${words} />
    <${Select} label=${column} value=${value} onChange=${setValue} options=${[['', 'Choose one'], ...entries.map(one =>
      [one.id, one.name])]}
      hint=${entries.length ? '' : 'There are none yet: Settings has them.'} /><//>`;
}
