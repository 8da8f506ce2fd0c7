// The audit trail: who changed what, from what to what.
import { html, useEffect, useState } from '../core/html.js';
import { who } from '../core/auth.js';
import { href, setQuery } from '../core/router.js';
import { Commands, curl, line } from '../ui/command.js';
import { Heading } from '../ui/parts.js';
import { Changes } from './changes.js';

/** A day and time of this place, as the API takes it. */
const stamp = text => (text ? new Date(text).toISOString() : undefined);
const local = text => {
  if (!text) return '';
  const at = new Date(text);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

const FIELDS = [['user', 'User', 'Login ID'], ['number', 'Number', '+919876500001'], ['job', 'Job', 'ID of a job']];

export default function Audit({ query }) {
  const [draft, setDraft] = useState(query);
  useEffect(() => setDraft(query), [JSON.stringify(query)]);
  const submit = event => {
    event.preventDefault();
    const trimmed = Object.fromEntries(FIELDS.map(([name]) => [name, draft[name]?.trim() ?? '']));
    setQuery({ ...trimmed, number: trimmed.number.replace(/[\s().-]/g, ''), from: draft.from ?? '', to: draft.to ?? ''
      });
  };
  const asked = { user: query.user, number: query.number, job: query.job, from: query.from, to: query.to };
  const flags = FIELDS.flatMap(([name]) => (query[name] ? [`--${name}`, query[name]] : []));
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value));
  return html`<${Heading} title="Audit trail" />
    <form class="filters" role="search" aria-label="Audit trail" onSubmit=${submit}>
      ${FIELDS.map(([name, label, placeholder]) => html`<input key=${name} aria-label=${label}
        placeholder=${`${label}: ${placeholder}`} dir="auto"
        data-search=${name === 'user' ? '' : undefined} value=${draft[name] ?? ''} onInput=${event => setDraft({
          ...draft, [name]: event.target.value })} />`)}
      <label>From <input type="datetime-local" value=${local(draft.from)} onInput=${event => setDraft({ ...draft,
        from: stamp(event.target.value) })} /></label>
      <label>to <input type="datetime-local" value=${local(draft.to)} onInput=${event => setDraft({ ...draft,
        to: stamp(event.target.value) })} /></label>
      <button class="button">Show</button>
      ${Object.keys(given).length > 0 && html`<a href=${href(['audit'])}>Clear filters</a>`}
    </form>
    <${Changes} all query=${asked} me=${who().sub} empty=${Object.keys(given).length ? 'Nothing by these filters.'
      : 'Nothing in the last seven days.'} />
    <${Commands} lines=${[line(['audit', ...flags]), curl('GET', 'audit', { query: given })]} />`;
}
