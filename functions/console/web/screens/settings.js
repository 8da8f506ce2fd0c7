// Settings: what the account has set for itself, and its roles, departments and teams.
import { html, useEffect, useState } from '../core/html.js';
import { ask, explain, find } from '../core/api.js';
import { can } from '../core/auth.js';
import { forget } from '../core/list.js';
import { href, guardLeaving } from '../core/router.js';
import { forgetCatalogue, useCatalogue } from '../ui/catalogue.js';
import { Commands, curl, line } from '../ui/command.js';
import { Confirm, Dialog, open } from '../ui/dialog.js';
import { notify } from '../ui/notices.js';
import { Banner, Button, Check, Empty, Field, Heading, Loading, Own, Select, Trouble } from '../ui/parts.js';
import { Table } from '../ui/table.js';
import { SYSTEMS } from './mappings.js';

const PARTS = { account: 'Account', roles: 'All roles', departments: 'Departments', teams: 'Teams' };
const ONE = { roles: 'role', departments: 'department', teams: 'team' };

export default function Settings({ query }) {
  const first = can('settings.read') ? 'account' : 'roles';
  const part = PARTS[query.part] ? query.part : first;
  const parts = Object.entries(PARTS).filter(([name]) => name !== 'account' || can('settings.read'));
  return html`<${Heading} title="Settings" />
    <nav class="row" aria-label="Parts of the settings">${parts.map(([name, text]) => html`<a key=${name} class="button"
      href=${href(['settings'], { part: name })}
      aria-current=${part === name ? 'page' : undefined}>${text}</a>`)}</nav>
    ${part === 'account' ? html`<${Account} />` : html`<${Catalogue} key=${part} kind=${part} />`}`;
}

/** What a group of the directory can set of its members. */
const SETS = ['department', 'team', 'role'];
const list = text => text.split(/[\n,;]+/).map(one => one.trim()).filter(Boolean);
const draftOf = settings => ({
  country: settings.country ?? '', recipients: settings.recipients.join('\n'), report_to: settings.report_to.join('\n'),
    list_limit: String(settings.list_limit),
  phone_system: settings.phone_system, percent: String(settings.safety_threshold.percent),
    at_least: String(settings.safety_threshold.at_least),
  names: Object.entries(settings.names).map(pair => pair.join(' = ')).join('\n'),
  default_role: settings.default_role ?? '', catalog_from_files: settings.catalog_from_files,
  scim_groups: settings.scim_groups.map(rule => `${rule.group} = ${SETS.filter(what => rule[what])
    .map(what => `${what}:${rule[what]}`).join(', ')}`).join('\n'),
  scim_roles: settings.scim_roles,
});
const named = text => text.split('\n').map(one => /^(.+?)\s*=\s*(.+)$/.exec(one.trim())).filter(Boolean);
/** `Sales EMEA = department:sales, role:agent`, a line for each group. What can't be, the API names. */
const rules = text => text.split('\n').filter(line => line.trim()).map(line => {
  const at = line.lastIndexOf('=');
  const parts = at < 0 ? [] : line.slice(at + 1).split(',').map(part => part.split(':').map(one => one.trim()));
  return { group: (at < 0 ? line : line.slice(0, at)).trim(), ...Object.fromEntries(parts) };
});
const bodyOf = draft => ({
  scim_groups: rules(draft.scim_groups), scim_roles: draft.scim_roles,
  names: Object.fromEntries(named(draft.names).map(([, subject, name]) => [subject, name])),
  country: draft.country.trim().toUpperCase() || null, recipients: list(draft.recipients),
    report_to: list(draft.report_to), list_limit: Number(draft.list_limit),
  phone_system: draft.phone_system, safety_threshold: { percent: Number(draft.percent), at_least: Number(draft.at_least)
    }, default_role: draft.default_role || null,
  ...(draft.catalog_from_files !== undefined && { catalog_from_files: draft.catalog_from_files }),
});

function Account() {
  const [state, setState] = useState({}), [draft, setDraft] = useState(null), [wrong, setWrong] = useState({}), [busy,
    setBusy] = useState(false);
  const roles = useCatalogue('roles', can('users.read'));
  const load = async () => {
    try {
      const found = await find('settings');
      setState(found ? { data: found.data, etag: found.etag } : { none: true });
      if (found) setDraft(draftOf(found.data));
    } catch (error) {
      setState({ error });
    }
  };
  useEffect(() => { load(); return () => guardLeaving(null); }, []);
  if (state.error) return html`<${Trouble} error=${state.error} again=${load} />`;
  if (state.none) return html`<${Empty} title="Not by this stack">It has no route for settings: whoever runs it sets
    them.<//>`;
  if (!draft) return html`<${Loading} />`;
  const old = bodyOf(draftOf(state.data)), mine = bodyOf(draft);
  const patch = Object.fromEntries(Object.entries(mine).filter(([name, value]) =>
    JSON.stringify(value) !== JSON.stringify(old[name])));
  // Who isn't named any more is to be forgotten, and the rest stays.
  const forgotten = Object.fromEntries(Object.keys(old.names).map(one => [one, null]));
  if (patch.names) patch.names = { ...forgotten, ...mine.names };
  const dirty = Object.keys(patch).length > 0, may = can('settings.write');
  guardLeaving(dirty ? 'Leave this, and lose what you have changed?' : null);
  const set = change => setDraft({ ...draft, ...change });
  // What a request has no time for is gone on with by the next one.
  const follow = async ({ data, etag }) => {
    setState({ data, etag });
    for (let left = data.scim_groups_behind; left?.length; left = data.scim_groups_behind) {
      notify(`Going on with the members of ${left.join(', ')} …`);
      ({ data, etag } = await ask('PATCH', 'settings', { body: {} }));
      setState({ data, etag });
    }
    setDraft(draftOf(data));
  };
  const submit = async event => {
    event.preventDefault();
    if (!dirty || busy) return;
    setBusy(true);
    setWrong({});
    try {
      await follow(await ask('PATCH', 'settings', { body: patch, etag: state.etag }));
      notify('The settings are changed.');
    } catch (error) {
      if (error.status === 412) {
        const found = await find('settings');
        setState({ data: found.data, etag: found.etag, conflict: true });
      } else {
        const field = error.pointer?.split('/')[1];
        setWrong(field ? { [field]: error.detail } : { all: `${explain(error).title}. ${explain(error).text}` });
      }
    } finally {
      setBusy(false);
    }
  };
  const input = (name, label, more = {}) => html`<${Field} label=${label} value=${draft[name]} wrong=${wrong[name]}
    disabled=${!may}
    onInput=${event => set({ [name]: event.target.value })} ...${more} />`;
  const area = (name, label, hint) => html`<${Field} label=${label} hint=${hint} wrong=${wrong[name]}>
    ${common => html`<textarea rows="3" ...${common} dir="ltr" disabled=${!may} value=${draft[name]} onInput=${event =>
      set({ [name]: event.target.value })}></textarea>`}<//>`;
  return html`<form class="panel section" onSubmit=${submit}>
    ${state.conflict && html`<${Banner} tone="warn"><span role="alert"><strong>Somebody has changed the settings
      meanwhile.</strong> Yours are kept below; what differs from theirs is saved.</span><//>`}
    ${state.data.scim_groups_behind?.length > 0 && !busy && html`<${Banner} tone="warn"><span>Members of
      <bdi>${state.data.scim_groups_behind.join(', ')}</bdi> are not yet what the settings say.</span>
      ${may && html`<${Button} onClick=${() => follow(state)}>Go on<//>`}<//>`}
    <div class="grid">
      ${input('country', 'Country', {
        hint: 'Two letters, such as IN: how numbers without a country code are read. Empty: as the stack says.',
          maxlength: 2 })}
      ${input('list_limit', 'Numbers on one list, at most', { type: 'number', min: 1, max: 30000 })}
      <${Select} label="Phone system" value=${draft.phone_system} onChange=${phone_system => may && set({ phone_system
        })} options=${Object.entries(SYSTEMS)} />
      <${Select} label="Role of new users" value=${draft.default_role} onChange=${default_role => may && set({
        default_role })}
        options=${[['', 'None'], ...roles.map(one => [one.id, one.name])]} />
    </div>
    <div class="grid">
      ${area('recipients', 'Recipients', 'Who gets a job’s report where the upload names nobody. One on each line.')}
      ${area('report_to', 'Who else may get reports',
        'Addresses or domains that an upload may name. One on each line.')}
      ${area('names', 'What people are called', 'For those whom tokens name by an ID: ID = name, one on each line.')}
    </div>
    <fieldset><legend>A directory that pushes users in (SCIM)</legend>
      ${area('scim_groups', 'What groups set of their members',
        'Such as Sales EMEA = department:sales, team:north, role:agent. One on each line; the first counts.')}
      <${Check} label="Take roles that the directory names" disabled=${!may} checked=${draft.scim_roles}
        onChange=${event => set({ scim_roles: event.target.checked })} /></fieldset>
    <fieldset><legend>Safety threshold</legend><p class="hint">A resync or a sync that nobody watches is on hold when it
      would take away more than both.</p>
      <div class="grid">${input('percent', 'Percent', { type: 'number', min: 1, max: 99, wrong: wrong.safety_threshold
        })}${input('at_least', 'And at least', { type: 'number', min: 1, max: 10000 })}</div></fieldset>
    ${draft.catalog_from_files !== undefined && html`<${Check} label="Files make departments and teams" disabled=${!may}
      checked=${draft.catalog_from_files} onChange=${event => set({ catalog_from_files: event.target.checked })}
      hint="Else one that nobody has made is a warning with the nearest name." />`}
    ${wrong.all && html`<p class="wrong" role="alert">${wrong.all}</p>`}
    ${may ? html`<div class="row"><button class="button main" disabled=${!dirty} aria-busy=${busy ? 'true'
      : undefined}>Save</button>
      ${dirty && html`<${Button} onClick=${() => setDraft(draftOf(state.data))}>As it was<//>`}</div>` : html`<p
        class="hint">Your token doesn’t allow changes.</p>`}
    <${Commands} lines=${[line(['settings']), dirty && curl('PATCH', 'settings', { body: patch })]} /></form>`;
}

function Catalogue({ kind }) {
  const [state, setState] = useState({});
  const load = async () => {
    forgetCatalogue();
    try {
      setState({ items: (await ask('GET', kind)).data.items });
    } catch (error) {
      setState({ error });
    }
  };
  useEffect(() => { load(); }, [kind]);
  const may = can('users.write'), word = ONE[kind];
  const edit = entry => open(close => html`<${Entry} kind=${kind} entry=${entry} close=${close} done=${load} />`);
  const remove = entry => open(close => html`<${TakeOut} kind=${kind} entry=${entry} others=${state.items.filter(one =>
    one.id !== entry.id)} close=${close} done=${load} />`);
  if (state.error) return html`<${Trouble} error=${state.error} again=${load} />`;
  if (!state.items) return html`<${Loading} />`;
  const columns = [
    { name: 'Name', cell: one => html`<${Own}>${one.name}<//>` }, { name: 'ID', cell: one =>
      html`<code>${one.id}</code>` },
    { name: 'Users', cell: one => html`<a href=${href(['users'], { [word]: one.id })}>Show them</a>` },
    may && { name: 'Actions', end: true, cell: one => html`<${Button} kind="small" aria-label=${`Rename ${one.name}`}
      onClick=${() => edit(one)}>Rename<//>
      ${' '}<${Button} kind="small" aria-label=${`Take out ${one.name}`} onClick=${() => remove(one)}>Take out<//>` },
  ].filter(Boolean);
  const add = may && html`<${Button} kind="main" onClick=${() => edit(null)}>Add a ${word}<//>`;
  return html`<section aria-labelledby="entries"><div class="row spread"><h2
    id="entries">${PARTS[kind]}</h2>${state.items.length > 0 && add}</div>
    ${state.items.length ? html`<${Table} label=${PARTS[kind]} columns=${columns} rows=${state.items} keyOf=${one =>
      one.id} />`
    : html`<${Empty} title=${`No ${kind} yet`} actions=${add}>Users can be sorted by them, and numbers by
      departments.<//>`}</section>`;
}

function Entry({ kind, entry, close, done }) {
  const [name, setName] = useState(entry?.name ?? ''), [id, setId] = useState(entry?.id ?? '');
  const made = id.trim() || name.trim().toLowerCase().replace(/[\s#/]+/g, '-').slice(0, 64);
  const path = [kind, { id: made || 'ID' }], body = { name: name.trim() };
  const submit = async () => {
    await ask('PUT', path, { body });
    notify(entry ? 'It is renamed.' : 'It is added.');
    done();
  };
  return html`<${Dialog} title=${entry ? `Rename the ${ONE[kind]}` : `Add a ${ONE[kind]}`} close=${close}
    submit=${submit} ready=${Boolean(name.trim())}
    foot=${html`<${Commands} lines=${[curl('PUT', path, { body })]} />`}>
    <${Field} label="Name" value=${name} onInput=${event => setName(event.target.value)} />
    ${!entry && html`<${Field} label="ID" value=${id} placeholder=${made}
      hint="How files and filters name it. It stays when the name changes." onInput=${event =>
        setId(event.target.value)} />`}<//>`;
}

/** Takes an entry out; where it is in use, another can take its place. */
function TakeOut({ kind, entry, others, close, done }) {
  const [other, setOther] = useState('');
  const path = [kind, { id: entry.id }], query = other ? { replace_with: other } : {};
  const act = async () => {
    // Where many have it, each answer says how many have another one now, until the entry is gone.
    for (let moved = 0, left; (left = (await ask('DELETE', path, { query })).data?.moved);) {
      moved += left;
      notify(`${moved} users have another ${ONE[kind]}. Going on …`);
    }
    forget();
    notify(`${entry.name} is taken out.`);
    done();
  };
  return html`<${Confirm} title=${html`Take the ${ONE[kind]} <bdi>${entry.name}</bdi> out?`} word="Take out" act=${act}
    close=${close} foot=${html`<${Commands} lines=${[line([kind, 'remove', entry.id]), curl('DELETE', path, { query
      })]} />`}>
    <p>What users or numbers still have isn’t taken out, unless another takes its place.</p>
    <${Select} label="In its place" value=${other} onChange=${setOther}
      options=${[['', 'Nothing'], ...others.map(one => [one.id, one.name])]} /><//>`;
}
