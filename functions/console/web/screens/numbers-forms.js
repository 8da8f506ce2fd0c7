// Numbers: added, edited, put to rest.
import { html, useState } from '../core/html.js';
import { ask } from '../core/api.js';
import { can } from '../core/auth.js';
import { counted } from '../core/format.js';
import { useCatalogue } from '../ui/catalogue.js';
import { Commands, curl } from '../ui/command.js';
import { Dialog } from '../ui/dialog.js';
import { notify } from '../ui/notices.js';
import { Field, Select } from '../ui/parts.js';
import { NUMBER_STATES } from '../ui/words.js';
import { setState } from './numbers.js';

const PURPOSES = [['', 'None'], ['promotional', 'promotional'], ['service', 'service'], ['other', 'other']];
const ATTESTATIONS = [['', 'None'], ['A', 'A: full'], ['B', 'B: partial'], ['C', 'C: gateway']];

/** Numbers as they are typed, in E.164 form as far as digits tell. */
const written = text => text.split(/[\n;,]+/).map(one => one.trim().replace(/[\s().-]/g, '')).filter(Boolean);
const words = text => text.split(/[\s,;]+/).filter(Boolean);

/** Adds numbers to the inventory. */
export function AddNumbers({ close, done }) {
  const [text, setText] = useState(''), [state, setState_] = useState('new'), [department,
    setDepartment] = useState('');
  const [purpose, setPurpose] = useState(''), [attestation, setAttestation] = useState(''), [provider,
    setProvider] = useState(''), [labels, setLabels] = useState('');
  const departments = useCatalogue('departments', can('users.read'));
  const list = [...new Set(written(text))];
  const local = list.filter(one => !one.startsWith('+'));
  const body = {
    numbers: list.map(number => ({
      number, state, ...(department && { department }), ...(purpose && { purpose }), ...(attestation && { attestation
        }),
      ...(provider.trim() && { provider: provider.trim() }), ...(labels.trim() && { labels: words(labels) }),
    })),
  };
  const submit = async () => {
    const { data } = await ask('POST', 'numbers', { body });
    notify(`${counted(data.added.length, 'number')} added${data.taken.length
      ? `, ${data.taken.length} there already and as they were` : ''}.`);
    done();
  };
  return html`<${Dialog} title="Add numbers" word="Add" close=${close} submit=${submit} ready=${list.length > 0
    && !local.length}
    foot=${html`<${Commands} lines=${[list.length > 0 && curl('POST', 'numbers', { body })]} />`}>
    <div class="field"><label for="new-numbers">Numbers</label>
      <textarea id="new-numbers" rows="5" dir="ltr" value=${text} aria-describedby="new-hint" onInput=${event =>
        setText(event.target.value)}></textarea>
      <p class="hint" id="new-hint">One on each line, with the country code: +91 98765 43210. At most 500 at once.</p>
      ${local.length > 0 && html`<p class="wrong" role="status">Without a country code: ${local.slice(0,
        3).join(', ')}</p>`}</div>
    <div class="grid">
      <${Select} label="State" value=${state} onChange=${setState_} options=${['new', 'active'].map(one => [one,
        NUMBER_STATES[one][0]])} />
      <${Select} label="Department" value=${department} onChange=${setDepartment} options=${[['', 'None'],
        ...departments.map(one => [one.id, one.name])]} />
      <${Select} label="Purpose" value=${purpose} onChange=${setPurpose} options=${PURPOSES} />
      <${Select} label="Attestation" value=${attestation} onChange=${setAttestation} options=${ATTESTATIONS} />
      <${Field} label="Provider" value=${provider} onInput=${event => setProvider(event.target.value)} />
      <${Field} label="Labels" value=${labels} hint="Parted by blanks." onInput=${event =>
        setLabels(event.target.value)} />
    </div><//>`;
}

/** Edits what is known of a number; its state is changed by the actions. */
export function EditNumber({ number, etag, close, done }) {
  const first = {
    department: number.department ?? '', purpose: number.purpose ?? '', attestation: number.attestation ?? '',
      provider: number.provider ?? '',
    labels: number.labels.join(' '),
  };
  const [draft, setDraft] = useState(first);
  const departments = useCatalogue('departments', can('users.read'));
  const set = change => setDraft({ ...draft, ...change });
  const body = Object.fromEntries(Object.entries(draft).filter(([name, value]) => value !== first[name])
    .map(([name, value]) => [name, name === 'labels' ? words(value) : value.trim() || null]));
  const path = ['numbers', { number: number.number }];
  const submit = async () => {
    if (Object.keys(body).length) await ask('PATCH', path, { body, etag });
    notify('The number is changed.');
    done();
  };
  const known = departments.some(one => one.id === draft.department) || !draft.department ? [] : [[draft.department,
    draft.department]];
  return html`<${Dialog} title="Edit number" close=${close} submit=${submit} foot=${html`<${Commands}
    lines=${[curl('PATCH', path, { body })]} />`}>
    <div class="grid">
      <${Select} label="Department" value=${draft.department} onChange=${department => set({ department })}
        options=${[['', 'None'], ...departments.map(one => [one.id, one.name]), ...known]} />
      <${Select} label="Purpose" value=${draft.purpose} onChange=${purpose => set({ purpose })} options=${PURPOSES} />
      <${Select} label="Attestation" value=${draft.attestation} onChange=${attestation => set({ attestation })}
        options=${ATTESTATIONS} />
      <${Field} label="Provider" value=${draft.provider} onInput=${event => set({ provider: event.target.value })} />
      <${Field} label="Labels" value=${draft.labels} hint="Parted by blanks." onInput=${event => set({
        labels: event.target.value })} />
    </div><//>`;
}

/** Puts numbers to rest until a day. */
export function RestNumbers({ numbers, close, done }) {
  const later = days => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  const [until, setUntil] = useState(later(30));
  const body = { state: 'resting', resting_until: until };
  return html`<${Dialog} title=${`Rest ${counted(numbers.length, 'number')}`} word="Put to rest" close=${close}
    ready=${Boolean(until)}
    submit=${() => setState(numbers, body, done)} foot=${html`<${Commands} lines=${numbers.slice(0, 1).map(number =>
      curl('PATCH', ['numbers', { number }], { body }))} />`}>
    <p>Nobody dials from a resting number, and it stays on the lists. To put another in its place on every list, rotate
      it.</p>
    <${Field} label="In service again on" type="date" min=${later(1)} value=${until} onInput=${event =>
      setUntil(event.target.value)} /><//>`;
}
