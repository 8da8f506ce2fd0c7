// Many users, one action: always a job that is previewed first and can be undone.
import { html, useState } from '../core/html.js';
import { ask } from '../core/api.js';
import { count, counted } from '../core/format.js';
import { go } from '../core/router.js';
import { useCatalogue } from '../ui/catalogue.js';
import { Commands, curl, line } from '../ui/command.js';
import { Dialog, open } from '../ui/dialog.js';
import { Button, Select } from '../ui/parts.js';

/** What can be set of all chosen ones: its title, and the field with its value. */
const CHANGES = {
  enable: ['Enable agents', { agent_status: 'enabled' }],
  disable: ['Disable agents', { agent_status: 'disabled' }],
  block: ['Block agents', { agent_status: 'blocked' }],
  unblock: ['Unblock web logins', { web_login: 'active' }],
};
const KINDS = { role: 'roles', department: 'departments', team: 'teams' };

/** The bar over the list: how many are chosen, and what to do with them. */
export function Chosen({ chosen, clear, every, setEvery, asked, complete, total }) {
  const number = every && !complete ? null : chosen.size;
  const who = number === null ? { filter: filterOf(asked) } : { logins: [...chosen.keys()] };
  const words = number === null ? 'all that match' : counted(number, 'user');
  const dialog = content => open(close => content(close));
  return html`<div class="chosen" role="region" aria-label="Chosen users">
    <b role="status">${number === null ? 'All that match are chosen' : `${count(number)} chosen`}</b>
    ${!complete && total === null && (every
    ? html`<button type="button" class="link" onClick=${() => setEvery(false)}>Only the ${count(chosen.size)} that are
      shown</button>`
    : html`<button type="button" class="link" onClick=${() => setEvery(true)}>Choose all that match</button>`)}
    <${Button} onClick=${() => dialog(close => html`<${Append} who=${who} words=${words}
      close=${close} />`)}>Append caller IDs…<//>
    ${Object.entries(CHANGES).map(([key, [title, set]]) => html`<${Button} key=${key}
      onClick=${() => dialog(close => html`<${Change} who=${who} words=${words} title=${title} set=${set}
        close=${close} />`)}>${title}…<//>`)}
    ${Object.entries(KINDS).map(([field, list]) => html`<${Button} key=${field}
      onClick=${() => dialog(close => html`<${Assign} who=${who} words=${words} list=${list} field=${field}
        close=${close} />`)}>Set ${field}…<//>`)}
    <${Button} kind="plain" onClick=${clear}>Choose none<//>
  </div>`;
}

/** The filters of the address, as the job takes them. */
const filterOf = asked => Object.fromEntries(Object.entries(asked).filter(([, value]) => value)
  .map(([name, value]) => [name, /^(calling_agent|has_extension)$/.test(name) ? value === 'true' : value]));

/** Asks for the job, as a preview, and shows it. */
async function preview(body) {
  const { data } = await ask('POST', 'users/jobs', { body });
  go(['jobs', data.job]);
}

const Promise_ = ({ words }) => html`<p>A job previews it for <b>${words}</b>, shows each one, and changes nothing until
  you say so.
  What it did can be undone.</p>`;

function Append({ who, words, close }) {
  const [numbers, setNumbers] = useState('');
  const append = numbers.split(/[\n;,]+/).map(one => one.trim()).filter(Boolean);
  const body = { ...who, append, preview: true };
  return html`<${Dialog} title="Append caller IDs" word="Preview" close=${close} submit=${() => preview(body)}
    ready=${append.length > 0} foot=${html`<${Same} body=${body} />`}>
    <${Promise_} words=${words} />
    <div class="field"><label for="append-numbers">Numbers</label>
      <textarea id="append-numbers" rows="4" dir="ltr" value=${numbers} onInput=${event =>
        setNumbers(event.target.value)}
        aria-describedby="append-hint"></textarea>
      <p class="hint" id="append-hint">One on each line, or parted by semicolons. Nothing that is on a list is taken
        away.</p></div>
  <//>`;
}

function Change({ who, words, title, set, close }) {
  const body = { ...who, set, preview: true };
  return html`<${Dialog} title=${title} word="Preview" close=${close} submit=${() => preview(body)}
    foot=${html`<${Same} body=${body} />`}><${Promise_} words=${words} /><//>`;
}

function Assign({ who, words, list, field, close }) {
  const [value, setValue] = useState('');
  const entries = useCatalogue(list);
  const body = { ...who, set: { [field]: value }, preview: true };
  return html`<${Dialog} title=${`Set the ${field}`} word="Preview" close=${close} submit=${() => preview(body)}
    ready=${Boolean(value)} foot=${html`<${Same} body=${body} />`}>
    <${Promise_} words=${words} />
    <${Select} label=${field} value=${value} onChange=${setValue} options=${[['', 'Choose one'], ...entries.map(one =>
      [one.id, one.name])]}
      hint=${entries.length ? '' : 'There are none yet: Settings has them.'} /><//>`;
}

/** The same by a command. Of many that are chosen, as many as one reads. */
function Same({ body }) {
  const { logins, filter = {}, append = [], set = {} } = body, most = 3;
  const some = logins?.length > most ? [...logins.slice(0, most), '…'] : logins;
  const flags = (all, flag) => Object.entries(all).flatMap(([name, value]) => flag(name.replace(/_/g, '-'),
    `${value}`));
  const who = some ?? flags(filter, (name, value) => [`--${name}`, value]);
  const what = [...append.flatMap(number => ['--append', number]), ...flags(set, (name, value) => ['--set',
    `${name}=${value}`])];
  return html`<${Commands} lines=${[line(['users', 'many', ...(who.length ? who : ['--all']), ...what]),
    curl('POST', 'users/jobs', { body: some ? { ...body, logins: some } : body })]} />`;
}
