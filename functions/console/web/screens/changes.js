// Entries of the audit trail, beside what they are about and on a screen of their own.
import { html } from '../core/html.js';
import { useList } from '../core/list.js';
import { href } from '../core/router.js';
import { count, moment } from '../core/format.js';
import { useNames } from '../ui/catalogue.js';
import { Chip, Num, Time, Trouble } from '../ui/parts.js';
import { Table } from '../ui/table.js';
import { POLICIES, actor } from '../ui/words.js';

/**
 * What an entry is about: the word, and where it is shown.
 * @type {Record<string, [string, ((id: string) => string)?]>}
 */
const ABOUT = {
  user: ['User', id => href(['users', id])], number: ['Number', id => href(['numbers', id])], job: ['Job', id =>
    href(['jobs', id])],
  mapping: ['Mapping', id => href(['mappings'], { why: id })], role: ['Role'], department: ['Department'],
    team: ['Team'],
  settings: ['Settings', () => href(['settings'])], scim_key: ['SCIM key', () => href(['directory'])], route: ['Route'],
};
const LISTED = 5;

function About({ entry }) {
  const kind = Object.keys(ABOUT).find(name => entry[name] !== undefined) ?? '';
  const [word, link] = ABOUT[kind] ?? ['Change'];
  const id = entry[kind];
  const shown = kind === 'number' ? html`<${Num} of=${id} />` : kind === 'job' ? html`<code>${id.slice(0, 8)}</code>`
    : html`<bdi>${id}</bdi>`;
  return html`<span class="faint">${word}</span> ${link ? html`<a href=${link(id)}>${shown}</a>` : shown}`;
}

function Numbers({ of, sign }) {
  if (!of.length) return null;
  return html`<span class=${sign === '+' ? 'plus' : 'minus'}>${sign} ${of.slice(0, LISTED).map((number, nth) =>
    html`${nth ? ', ' : ''}<${Num} of=${number} />`)}
    ${of.length > LISTED && html` and ${count(of.length - LISTED)} more`}</span> `;
}

const worded = policy => POLICIES[policy] ?? policy;

/** A part that has changed, and from what to what, where that is kept. */
function Part({ of, from = null, to = null }) {
  const was = from === null ? '' : html`<bdi>${String(from)}</bdi> → `;
  return html`<span class="said">${of} ${(from ?? to) !== null && html`${was}<bdi>${String(to ?? '—')}</bdi>`}</span> `;
}

function What({ entry }) {
  const { change, added, removed, policy, state, fields = {}, code } = entry;
  return html`<${Chip} tone=${{ deleted: 'bad', refused: 'bad', created: 'good' }[change]
    ?? 'calm'}>${change}<//> ${' '}
    <${Numbers} of=${added} sign="+" /><${Numbers} of=${removed} sign="−" />
    ${policy && html`<${Part} of="policy" from=${worded(policy.from)} to=${worded(policy.to)} />`}
    ${state && html`<${Part} of="state" ...${state} />`}
    ${Object.entries(fields).map(([field, change]) => html`<${Part} key=${field} of=${field.replace(/_/g, ' ')}
      ...${change} />`)}${code && html`<code>${code}</code>`}`;
}

function Who({ entry, me }) {
  const job = entry.by?.job, names = useNames();
  return html`${job ? html`<a href=${href(['jobs', job])}>a job</a>` : actor(entry.by, me, names)}
    ${entry.asked_by && html` <span class="faint">asked for by ${actor(entry.asked_by, me, names)}</span>`}`;
}

/** A list of entries, the latest first. */
export function Changes({ query, me, empty = 'Nothing in the last seven days.', all = false }) {
  const list = useList('audit', { order: 'desc', ...query }, { limit: all ? 50 : 10, retain: false });
  if (list.error) return html`<${Trouble} error=${list.error} again=${list.reload} />`;
  const columns = [
    { name: 'When', cell: entry => html`<${Time} at=${entry.changed} />` },
    all && { name: 'About', cell: entry => html`<${About} entry=${entry} />` },
    { name: 'What', cell: entry => html`<${What} entry=${entry} />` },
    { name: 'By whom', cell: entry => html`<${Who} entry=${entry} me=${me} />` },
  ].filter(Boolean);
  const settled = list.rest?.settled_until;
  return html`${list.items.length || list.loading ? html`<${Table} label="Changes" columns=${columns} rows=${list.items}
    keyOf=${entry => entry.id}
      loading=${list.loading} more=${!list.complete && list.more} />` : html`<p class="hint">${empty}</p>`}
    ${settled && html`<p class="foot">Settled until ${moment(settled)}: nothing comes in before that any more, and
      nothing after it is shown yet.</p>`}`;
}
