// Rows of a job, with their reasons; and failed ones to mend and drop again.
import { html, useEffect, useState } from '../core/html.js';
import { explain } from '../core/api.js';
import { can } from '../core/auth.js';
import { counted, size } from '../core/format.js';
import { download, firstRows } from '../core/results.js';
import { href, place, setQuery } from '../core/router.js';
import { allowedKinds, uploadDialog } from '../ui/drop.js';
import { notify } from '../ui/notices.js';
import { Button, Chip, Loading, Own, Select, Trouble } from '../ui/parts.js';
import { Table } from '../ui/table.js';

const SHOWN = { changes: 'What changes',
  failures: 'Rows that need correction', results: 'All rows', warnings: 'Rows with a code',
  applied: 'Applied rows', unchanged: 'Unchanged rows' };
/** Kinds whose rows are a diff: what each CRM user is granted and loses. */
const DIFFS = ['mapping-resync', 'phone-snapshot'];
const CHANGES = { granted: 'good', revoked: 'bad', orphaned: 'bad', unmapped: 'warn', ambiguous: 'warn' };
const TONES = { applied: 'good', partial: 'warn', failed: 'bad', unprocessed: 'warn', unchanged: 'calm' };
/** Rows that are shown at first, and at each step. */
const STEP = 100;

export function Rows({ job }) {
  const asked = place.get().query.rows;
  const bad = job.counts.failed + job.counts.partial + job.counts.unprocessed > 0;
  const diff = DIFFS.includes(job.kind);
  const view = asked ?? (bad ? 'failures' : diff ? 'changes' : 'results');
  const file = view === 'failures' ? 'failures' : 'results';
  const [state, setState] = useState({}), [shown, setShown] = useState(STEP);
  const load = async () => {
    setState({});
    try {
      setState({ data: await firstRows(job.id, file), loaded: true });
    } catch (error) {
      setState({ error, loaded: true });
    }
  };
  useEffect(() => { load(); }, [job.id, file, job.state, job.ended]);
  const save = name => download(job.id, name).catch(error => notify(explain(error).text, { tone: 'bad' }));
  const { data, error, loaded } = state;
  const of = (row, name) => row.said.find(([said]) => said === name)?.[1] ?? '';
  const keep = {
    warnings: row => row.codes.length, changes: row => of(row, 'Change') !== 'unchanged',
    applied: row => row.status === 'applied', unchanged: row => row.status === 'unchanged',
  }[view] ?? (() => true);
  const rows = (data?.rows ?? []).filter(keep);
  const kinds = allowedKinds();
  const columns = diff ? [
    { name: 'CRM user', cell: row => html`<${Said} name="CRM User" value=${of(row, 'CRM User')} />` },
    { name: 'Phone user', cell: row => html`<${Own}>${of(row, 'Phone User')}<//>` },
    { name: 'Change', cell: row => html`<${Chip} tone=${CHANGES[of(row, 'Change')]}>${of(row, 'Change')}<//>` },
    { name: 'Granted', kind: 'wide', cell: row => html`<${Numbers} text=${of(row, 'Granted')} tone="plus" />` },
    { name: 'Revoked', kind: 'wide', cell: row => html`<${Numbers} text=${of(row, 'Revoked')} tone="minus" />` },
    { name: 'Why', cell: row => html`${row.message} ${row.codes.map(code => html`<code>${code}</code> `)}` },
  ] : [
    { name: 'Line', kind: 'narrow', cell: row => row.line || row.key },
    { name: 'What the row says', kind: 'wide', cell: row => row.said.map(([name, value]) => html`<span class="said"
      title=${name}><${Said} name=${name} value=${value} /></span> `) },
    { name: 'Status', cell: row => html`<${Chip} tone=${TONES[row.status]}>${row.status}<//>` },
    { name: 'Field', cell: row => row.fields.join(', ') || html`<span class="none">—</span>` },
    { name: 'Why', kind: 'widest', cell: row => html`${row.message} ${row.codes.map(code =>
      html`<code>${code}</code> `)}` },
  ];
  const views = Object.entries(SHOWN).filter(([key]) => diff || key !== 'changes');
  const total = job.counts.failed + job.counts.partial + job.counts.unprocessed;
  return html`<section aria-labelledby="rows"><div class="row spread"><h2 id="rows">${view === 'failures'
    ? counted(total, 'row needs correction', 'rows need correction') : 'Rows'}</h2>
    <div class="row">
      <${Select} hidden label="Rows that are shown" value=${view} onChange=${rows => setQuery({ rows })}
        options=${views} />
      ${bad && html`<${Button} onClick=${() => save('failures')}>Download failed rows<//>`}
      <${Button} onClick=${() => save('results')}>Download all rows<//>
      ${bad && kinds.includes(job.kind) && html`<${Button} onClick=${() => uploadDialog(job.kind)}>Drop the mended
        file…<//>`}</div></div>
    ${bad && view === 'failures' && kinds.includes(job.kind) && html`<p class="hint">Download the failed rows, mend
      them, and drop the file again as it is: the added columns are ignored.</p>`}
    ${error ? html`<${Trouble} error=${error} again=${load} />` : !loaded ? html`<${Loading} what="Reading rows" />`
    : !data || !rows.length ? html`<p class="hint">${view === 'failures' ? 'No row failed.' : data ? 'No row like that.'
      : 'There are no rows, or they have expired.'}</p>`
      : html`<${Table} label=${SHOWN[view]} columns=${columns} rows=${rows.slice(0, shown)} keyOf=${row => row.key}
          more=${rows.length > shown && (() => setShown(shown + STEP))} />
        ${!data.whole && html`<p class="foot">These are among the first rows; the file has ${size(data.size)}. Download
          it for the rest.</p>`}`}
  </section>`;
}

/** What a CRM user sees newly, or not any more. */
const Numbers = ({ text, tone }) => (text ? html`<span class=${tone} dir="ltr">${text}</span>` : html`<span
  class="none">—</span>`);

/** A cell of the row: logins and numbers lead to what they name. */
function Said({ name, value }) {
  if (/^(login|user) ?id$/i.test(name) && can('users.read')) return html`<a href=${href(['users',
    value])}><bdi>${value}</bdi></a>`;
  if (/^crm user/i.test(name) && can('mappings.read')) {
    return html`<a href=${href(['mappings'], { why: value })}><bdi>${value}</bdi></a>`;
  }
  if (/^\+\d{6,15}$/.test(value) && can('numbers.read')) return html`<a href=${href(['numbers', value])}><span
    dir="ltr">${value}</span></a>`;
  return html`<bdi>${value}</bdi>`;
}
