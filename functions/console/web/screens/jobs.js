// Jobs: what waits for a person first, then the latest.
import { html, useEffect } from '../core/html.js';
import { who } from '../core/auth.js';
import { count, counted } from '../core/format.js';
import { useList } from '../core/list.js';
import { go, href, setQuery } from '../core/router.js';
import { useKeys } from '../core/keys.js';
import { allowedKinds, sample, uploadDialog } from '../ui/drop.js';
import { Menu } from '../ui/menu.js';
import { useNames } from '../ui/catalogue.js';
import { Button, Chip, Empty, Heading, Own, Select, Time, Trouble } from '../ui/parts.js';
import { Table } from '../ui/table.js';
import { JOB_STATES, KINDS, actor, titleOf } from '../ui/words.js';

/** States in which a job waits for a person. */
const WAITING = ['on_hold', 'previewed'];
const RUNNING = ['running', 'previewing'];
/** Milliseconds between looks at a list with running jobs. */
const LOOK = 4000;

export const StateOf = ({ job }) => html`<${Chip} tone=${JOB_STATES[job.state]?.[1]}>${JOB_STATES[job.state]?.[0]
  ?? job.state}<//>`;

/** A job's outcome in a few words. */
export function Outcome({ job }) {
  const { applied, partial, unchanged, failed } = job.counts;
  const parts = [[applied, 'applied'], [partial, 'partial'], [unchanged, 'unchanged'], [failed,
    'failed']].filter(([number]) => number);
  const { users, users_done: done } = job.progress;
  if (RUNNING.includes(job.state)) return html`${job.phase}: ${count(done)} of ${counted(users, 'user')}`;
  return parts.length ? parts.map(([number, word], nth) => html`${nth ? ', ' : ''}<span class=${word === 'failed'
    ? 'minus' : ''}>${count(number)} ${word}</span>`)
    : html`<span class="none">no rows</span>`;
}

export default function Jobs({ query }) {
  const asked = { state: query.state, kind: query.kind };
  const list = useList('jobs', asked, { retain: false });
  const rows = list.items;
  const waiting = query.state ? [] : rows.filter(job => WAITING.includes(job.state));
  const others = query.state ? rows : rows.filter(job => !WAITING.includes(job.state));
  const running = rows.some(job => RUNNING.includes(job.state));
  const names = useNames(), kinds = allowedKinds(), me = who().sub;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => document.visibilityState === 'visible' && list.reload(), LOOK);
    return () => clearInterval(timer);
  }, [running, list.items.length]);
  useKeys({ n: ['Upload a file', () => kinds.length && uploadDialog()] });
  const columns = [
    { name: 'File or request', cell: job => html`<a href=${href(['jobs', job.id])}><${Own}>${titleOf(job)}<//></a>` },
    { name: 'Kind', cell: job => KINDS[job.kind] ?? job.kind },
    { name: 'State', cell: job => html`<${StateOf} job=${job} />${job.waiting && html` <span class="faint">waits for its
      next delivery</span>`}` },
    { name: 'Rows', cell: job => html`<${Outcome} job=${job} />` },
    { name: 'Started', cell: job => html`<${Time} at=${job.started} />` },
    { name: 'By whom', cell: job => (job.asked_by ? actor(job.asked_by, me, names)
      : html`<span class="none">—</span>`) },
  ];
  const table = (label, items, more) => html`<${Table} label=${label} columns=${columns} rows=${items} keyOf=${job =>
    job.id} open=${job => go(['jobs', job.id])}
    loading=${more && list.loading} more=${more && !list.complete && list.more} />`;
  const filter = (name, label, options) => html`<${Select} hidden label=${label} value=${query[name]} options=${[['',
    `${label}: any`], ...options]}
    onChange=${value => setQuery({ [name]: value })} />`;
  return html`
    <${Heading} title="Jobs" actions=${kinds.length > 0 && html`<${Menu} word="Sample CSV" items=${kinds.map(kind =>
      [KINDS[kind], () => sample(kind)])} />
      <${Button} kind="main" onClick=${() => uploadDialog()}>Upload a file<//>`} />
    <div class="filters">${filter('state', 'State', Object.entries(JOB_STATES).map(([key, [text]]) => [key, text]))}
      ${filter('kind', 'Kind', Object.entries(KINDS))}
      ${(query.state || query.kind) && html`<a href=${href(['jobs'])}>Clear filters</a>`}</div>
    ${list.error && html`<${Trouble} error=${list.error} again=${list.reload} />`}
    ${waiting.length > 0 && html`<section aria-labelledby="waiting"><h2 id="waiting">Waiting for
      you</h2>${table('Jobs that wait for a person', waiting)}</section>`}
    ${list.complete && !rows.length ? html`<${Empty} title=${query.state || query.kind ? 'No job like that'
      : 'No jobs yet'}
      actions=${kinds.length > 0 && html`<${Button} kind="main" onClick=${() => uploadDialog()}>Upload a file<//>`}>
      ${kinds.length ? 'Drop a CSV file anywhere on this page. Its first line tells what it is for.'
        : 'What changes many users at once shows here.'}<//>`
    : (others.length > 0 || !list.complete) && html`<section aria-labelledby="latest">${waiting.length > 0
      && html`<h2 id="latest">The latest</h2>`}${table('Jobs', others, true)}</section>`}`;
}
