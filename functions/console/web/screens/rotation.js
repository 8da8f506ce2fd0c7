// Rotation: numbers out, numbers in, on every list, previewed.
import { html, useEffect, useMemo, useState } from '../core/html.js';
import { ask } from '../core/api.js';
import { can } from '../core/auth.js';
import { counted } from '../core/format.js';
import { DUE, useNumbers } from '../core/numbers.js';
import { go, guardLeaving, href, place } from '../core/router.js';
import { useCatalogue } from '../ui/catalogue.js';
import { Commands, curl, line } from '../ui/command.js';
import { allowedKinds, uploadDialog } from '../ui/drop.js';
import { Button, Check, Field, Heading, Select, Trouble } from '../ui/parts.js';
import { announce } from '../ui/notices.js';

/** Pairs of a text: two columns, as they come from a spreadsheet, or `old=new`. */
const pairsOf = text => text.split(/\n/).map(row => row.trim()).filter(Boolean).map(row => {
  const [old, next = ''] = row.split(/\t|;|,|=|→/).map(cell => cell.trim());
  return { old, next };
});

export default function Rotation() {
  const first = (place.get().query.retire ?? '').split(' ').filter(Boolean).map(old => ({ old: old.replace(/^(?=\d)/,
    '+'), next: '' }));
  const [pairs, setPairs] = useState(first.length ? first : [{ old: '', next: '' }]);
  const [pasted, setPasted] = useState(''), [only, setOnly] = useState(''), [days, setDays] = useState('');
  const [empty, setEmpty] = useState(false), [error, setError] = useState(null), [busy, setBusy] = useState(false);
  const inventory = useNumbers({}, { whole: true });
  const departments = useCatalogue('departments', can('users.read')), teams = useCatalogue('teams', can('users.read'));
  const filled = pairs.filter(pair => pair.old.trim());
  const dirty = filled.some(pair => pair.next) || filled.length > first.length;
  useEffect(() => {
    guardLeaving(dirty ? 'Leave this, and lose the pairs?' : null);
    return () => guardLeaving(null);
  }, [dirty]);
  const known = useMemo(() => new Map((inventory.all ?? []).map(one => [one.number, one])), [inventory.all]);
  const set = (nth, change) => setPairs(pairs.map((pair, at) => (at === nth ? { ...pair, ...change } : pair)));
  const body = {
    retire: filled.map(pair => pair.old.trim()),
    ...(filled.some(pair => pair.next.trim()) && { replace_with: Object.fromEntries(filled.filter(pair =>
      pair.next.trim()).map(pair => [pair.old.trim(), pair.next.trim()])) }),
    ...(only && { only: { [only.split(':')[0]]: only.slice(only.indexOf(':') + 1) } }),
    ...(days && { quarantine_days: Number(days) }), ...(empty && { allow_empty: true }), preview: true,
  };
  const suggest = () => {
    // A new number of the same department, else one of none; each once.
    const free = (inventory.all ?? []).filter(one => one.state === 'new' && !one.reserved_by && !pairs.some(pair =>
      pair.next === one.number));
    let found = 0;
    const next = pairs.map(pair => {
      if (!pair.old.trim() || pair.next.trim()) return pair;
      const department = known.get(pair.old.trim())?.department ?? null;
      const at = free.findIndex(one => one.department === department);
      const [one] = free.splice(at >= 0 ? at : free.findIndex(other => !other.department), at >= 0 || free.some(other =>
        !other.department) ? 1 : 0);
      if (one) found += 1;
      return one ? { ...pair, next: one.number } : pair;
    });
    setPairs(next);
    announce(found ? `${counted(found, 'replacement')} suggested` : 'No new number is free');
    if (!found) setError(new Error('No number that is new is free for them. Add numbers first, in the state “new”.'));
  };
  const due = () => setPairs((inventory.all ?? []).filter(one => ['active', 'flagged'].includes(one.state)
    && one.days_in_service >= DUE && !one.reserved_by)
    .slice(0, 1000).map(one => ({ old: one.number, next: '' })));
  const submit = async event => {
    event?.preventDefault();
    if (!filled.length || busy) return;
    setBusy(true);
    setError(null);
    try {
      const { data } = await ask('POST', 'numbers/rotations', { body });
      guardLeaving(null);
      go(['jobs', data.job]);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const places = [['', 'Everybody who has them'], ...departments.map(one => [`department:${one.id}`,
    `Only the department ${one.name}`]),
    ...teams.map(one => [`team:${one.id}`, `Only the team ${one.name}`])];
  const words = line(['rotate', ...filled.map(pair => `${pair.old.trim()}${pair.next.trim() ? `=${pair.next.trim()}`
    : ''}`)]);
  return html`
    <${Heading} title="Rotation" back=${[href(['numbers']), 'Numbers']}
      actions=${allowedKinds().includes('rotate-caller-ids')
      && html`<${Button} onClick=${() => uploadDialog('rotate-caller-ids')}>By a file…<//>`} />
    <p>Numbers that are flagged or old go, and others take their places on every list that has them. A job previews it:
      each number, each user, and who would be left without one.</p>
    <form class="panel section" onSubmit=${submit} onKeyDown=${event => event.key === 'Enter' && (event.ctrlKey
      || event.metaKey) && submit(event)}>
      <fieldset class="pairs"><legend>Pairs</legend>
        ${pairs.map((pair, nth) => html`<div class="row pair" key=${nth}>
          <input dir="ltr" aria-label=${`Old number ${nth + 1}`} placeholder="Old number" list="in-service"
            value=${pair.old} onInput=${event => set(nth, { old: event.target.value })} />
          <span aria-hidden="true">→</span>
          <input dir="ltr" aria-label=${`New number ${nth + 1}`} placeholder="Nothing takes its place" list="new-ones"
            value=${pair.next} onInput=${event => set(nth, { next: event.target.value })} />
          <${Button} kind="plain" aria-label=${`Leave pair ${nth + 1} out`} onClick=${() => setPairs(pairs.length > 1
            ? pairs.filter((_, at) => at !== nth) : [{ old: '', next: '' }])}>×<//>
          ${known.get(pair.old.trim())?.days_in_service !== undefined && html`<span
            class="faint">${counted(known.get(pair.old.trim()).days_in_service, 'day')} in service</span>`}
        </div>`)}
        <div class="row"><${Button} onClick=${() => setPairs([...pairs, { old: '', next: '' }])}>Another pair<//>
          <${Button} onClick=${due}>All that are due<//><${Button} onClick=${suggest}>Suggest new numbers<//></div>
      </fieldset>
      <datalist id="in-service">${(inventory.all ?? []).filter(one => ['active',
        'flagged'].includes(one.state)).slice(0, 200).map(one => html`<option value=${one.number}
          key=${one.number} />`)}</datalist>
      <datalist id="new-ones">${(inventory.all ?? []).filter(one => one.state === 'new').slice(0, 200).map(one =>
        html`<option value=${one.number} key=${one.number} />`)}</datalist>
      <details><summary>Paste two columns</summary><div class="field"><label for="paste">Old and new, a pair on each
        line</label>
        <textarea id="paste" rows="4" dir="ltr" value=${pasted} onInput=${event =>
          setPasted(event.target.value)}></textarea></div>
        <${Button} onClick=${() => { setPairs([...filled, ...pairsOf(pasted)]); setPasted(''); }}>Take
          them<//></details>
      <div class="grid">
        <${Select} label="Whose lists" value=${only} onChange=${setOnly} options=${places} hint=${only
          ? 'The numbers stay in service for the others.' : ''} />
        <${Field} label="Days to rest" type="number" min="1" max="3650" value=${days} onInput=${event =>
          setDays(event.target.value)}
          hint="Empty: the numbers are retired for good." />
      </div>
      <${Check} label="Leave nobody without a number" checked=${!empty} onChange=${event =>
        setEmpty(!event.target.checked)}
        hint="Who would have none to dial from keeps the list, and the number stays in service." />
      ${error && (error.status === undefined || error.constructor === Error ? html`<p class="wrong"
        role="alert">${error.message}</p>` : html`<${Trouble} error=${error} />`)}
      <div class="row"><button class="button main" disabled=${!filled.length} aria-busy=${busy ? 'true'
        : undefined}>Preview ${counted(filled.length, 'number')}</button>
        <span class="hint"><kbd>Ctrl</kbd> <kbd>Enter</kbd></span></div>
      <${Commands} lines=${filled.length ? [words, curl('POST', 'numbers/rotations', { body })] : []} />
    </form>`;
}

