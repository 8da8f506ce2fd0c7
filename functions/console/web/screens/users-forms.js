// One user: added, edited, acted on, deleted.
import { html, useEffect, useState } from '../core/html.js';
import { Problem, ask, explain } from '../core/api.js';
import { go } from '../core/router.js';
import { forget } from '../core/list.js';
import { useCatalogue } from '../ui/catalogue.js';
import { Commands, curl } from '../ui/command.js';
import { Confirm, Dialog } from '../ui/dialog.js';
import { notify } from '../ui/notices.js';
import { Banner, Button, Check, Field, Loading, Select } from '../ui/parts.js';
import { ACTIONS } from '../ui/words.js';

/**
 * The profile's fields that are texts: the name in the API, the label, and what else the field has.
 * @type {[string, string, any][]}
 */
const TEXTS = [
  ['name', 'Name', { required: true, autocomplete: 'off' }],
  ['email', 'E-mail', { type: 'email', autocomplete: 'off' }],
  ['call_forward_number', 'Call forward number', { type: 'tel', hint: 'With its country code, such as +91 98765 00001.'
    }],
  ['default_caller_id', 'Default caller ID', { type: 'tel', hint:
    'What calls show where nothing else is said: a number that the user may dial from.' }],
  ['designation', 'Designation', {}],
];
/** @type {[string, string, string][]} */
const CHOICES = [['role', 'Role', 'roles'], ['department', 'Department', 'departments'], ['team', 'Team', 'teams']];
const SHOWN = Object.fromEntries([...TEXTS, ...CHOICES].map(([name, label]) => [name, label]).concat([
  ['calling_agent', 'Calling agent'], ['extension', 'Extension']]));

/** What a person has typed, as the API takes it: an empty field is none. */
function profileOf(draft) {
  const text = name => draft[name]?.trim() || null;
  const number = name => text(name)?.replace(/[\s().-]/g, '') ?? null;
  const old = draft.whole_extension ?? {};
  return {
    name: text('name') ?? '', email: text('email'), call_forward_number: number('call_forward_number'),
    default_caller_id: number('default_caller_id'), designation: text('designation'),
    role: text('role'), department: text('department'), team: text('team'), calling_agent: Boolean(draft.calling_agent),
    extension: text('extension') ? { ...old, login: text('extension'), intercom: text('intercom') ?? '' } : null,
  };
}

const draftOf = user => ({
  ...Object.fromEntries([...TEXTS, ...CHOICES].map(([name]) => [name, user[name] ?? ''])),
    calling_agent: user.calling_agent,
  extension: user.extension?.login ?? '', intercom: user.extension?.intercom ?? '', whole_extension: user.extension,
});

/** Where a problem points to, as a field's name. */
const wrongOf = error => (error instanceof Problem && error.pointer?.startsWith('/')
  ? { [error.pointer.slice(1).split('/')[0] === 'extension' && error.pointer.endsWith('intercom') ? 'intercom'
    : error.pointer.slice(1).split('/')[0]]: error.detail }
  : error instanceof Problem && { EMAIL_TAKEN: { email: error.detail }, EXTENSION_IN_USE: { extension: error.detail },
    LOGIN_ID_TAKEN: { login: error.detail } }[error.code]) || {};

function Profile({ draft, set, wrong }) {
  const lists = { roles: useCatalogue('roles'), departments: useCatalogue('departments'), teams: useCatalogue('teams')
    };
  const known = (list, value) => [...lists[list].map(one => [one.id, one.name]),
    ...(value && !lists[list].some(one => one.id === value) ? [[value, value]] : [])];
  return html`<div class="grid">
    ${TEXTS.map(([name, label, more]) => html`<${Field} key=${name} label=${label} value=${draft[name] ?? ''}
      wrong=${wrong[name]} ...${more}
      onInput=${event => set({ [name]: event.target.value })} />`)}
    ${CHOICES.map(([name, label, list]) => html`<${Select} key=${name} label=${label} value=${draft[name] ?? ''}
      onChange=${value => set({ [name]: value })}
      options=${[['', 'None'], ...known(list, draft[name])]} />`)}
    <${Check} label="Calling agent" hint="Makes and takes calls." checked=${draft.calling_agent} onChange=${event =>
      set({ calling_agent: event.target.checked })} />
    <${Field} label="Extension login" value=${draft.extension ?? ''} wrong=${wrong.extension} onInput=${event => set({
      extension: event.target.value })}
      hint="Empty: no extension. Its password belongs to the phone system, and is not kept here." />
    <${Field} label="Intercom number" value=${draft.intercom ?? ''} wrong=${wrong.intercom} onInput=${event => set({
      intercom: event.target.value })} />
  </div>`;
}

/** Adds a user. */
export function AddUser({ close, added }) {
  const [draft, setDraft] = useState({ login: '', calling_agent: true }), [wrong, setWrong] = useState({}), [suspect,
    setSuspect] = useState(false);
  const set = change => setDraft({ ...draft, ...change });
  const body = () => ({ login: draft.login.trim(), ...profileOf(draft) });
  const submit = async () => {
    setWrong({});
    if (!draft.login.trim() || !draft.name?.trim()) {
      setWrong({ ...(!draft.login.trim() && { login: 'A user needs a login ID.' }), ...(!draft.name?.trim() && {
        name: 'A user needs a name.' }) });
      return false;
    }
    try {
      const { data } = await ask('POST', 'users', { body: { ...body(), ...(draft.meant && { login_confirmed: true }) }
        });
      notify(`${data.name} is added.`);
      added(data);
      return true;
    } catch (error) {
      setWrong(wrongOf(error));
      setSuspect(error.pointer === '/login' && error.code === 'INVALID_FIELD');
      throw error;
    }
  };
  return html`<${Dialog} wide title="Add user" word="Add" close=${close} submit=${submit}
    foot=${html`<${Commands} lines=${[curl('POST', 'users', { body: body() })]} />`}>
    <${Field} label="Login ID" required value=${draft.login} wrong=${wrong.login} autocomplete="off"
      hint="The key of the user. It never changes, and its case doesn’t count."
      onInput=${event => set({ login: event.target.value })} />
    ${suspect && html`<${Check} label="This login ID is meant as it stands" onChange=${event => set({
      meant: event.target.checked })} />`}
    <${Profile} draft=${draft} set=${set} wrong=${wrong} /><//>`;
}

/** Edits a user. If somebody else was faster, both versions are shown, and what was typed stays. */
export function EditUser({ login, close, changed }) {
  const [before, setBefore] = useState(null), [draft, setDraft] = useState(null), [wrong, setWrong] = useState({});
  const [conflict, setConflict] = useState(null);
  const set = change => setDraft({ ...draft, ...change });
  useEffect(() => {
    ask('GET', ['users', { login }]).then(({ data, etag }) => { setBefore({ user: data, etag });
      setDraft(draftOf(data)); },
      error => { notify(explain(error).title, { tone: 'bad' }); close(); });
  }, [login]);
  if (!draft) return html`<${Dialog} title="Edit user" close=${close}><${Loading} /><//>`;
  const old = profileOf(draftOf(before.user)), mine = profileOf(draft);
  const patch = Object.fromEntries(Object.entries(mine).filter(([name, value]) =>
    JSON.stringify(value) !== JSON.stringify(old[name])));
  const submit = async () => {
    setWrong({});
    if (!Object.keys(patch).length) return true;
    try {
      const { data } = await ask('PATCH', ['users', { login }], { body: patch, etag: before.etag });
      forget();
      notify(`${data.name} is changed.`);
      changed?.(data);
      return true;
    } catch (error) {
      setWrong(wrongOf(error));
      if (error.status === 412) {
        const { data, etag } = await ask('GET', ['users', { login }]);
        setConflict({ theirs: data, etag });
        return false;
      }
      throw error;
    }
  };
  const settle = keep => {
    // What only they have changed is taken over; where both have, `keep` says whose.
    const theirs = profileOf(draftOf(conflict.theirs));
    const merged = { ...draftOf(conflict.theirs) };
    if (keep) for (const name of Object.keys(patch)) Object.assign(merged, name === 'extension' ? {
      extension: draft.extension, intercom: draft.intercom } : { [name]: draft[name] });
    setBefore({ user: conflict.theirs, etag: conflict.etag });
    setDraft(merged);
    setConflict(null);
    return theirs;
  };
  return html`<${Dialog} wide title=${html`Edit <bdi>${before.user.name}</bdi>`} close=${close} submit=${submit}
    ready=${!conflict}
    foot=${html`<${Commands} lines=${[Object.keys(patch).length > 0 && curl('PATCH', ['users', { login }], { body: patch
      })]} />`}>
    ${conflict && html`<${Conflict} old=${old} mine=${mine} theirs=${profileOf(draftOf(conflict.theirs))}
      settle=${settle} />`}
    <${Profile} draft=${draft} set=${set} wrong=${wrong} /><//>`;
}

function Conflict({ old, mine, theirs, settle }) {
  const shown = value => (value === null || value === '' ? '—' : typeof value === 'object'
    ? `${value.login} (${value.intercom})` : String(value));
  const differs = Object.keys(mine).filter(name => JSON.stringify(mine[name]) !== JSON.stringify(theirs[name]));
  return html`<${Banner} tone="warn" actions=${html`<${Button} kind="main" onClick=${() => settle(true)}>Keep mine<//>
      <${Button} onClick=${() => settle(false)}>Take theirs<//>`}>
    <div role="alert"><strong>Somebody has changed this user meanwhile.</strong>
    <table class="compare"><thead><tr><th>Field</th><th>Before</th><th>Yours</th><th>Theirs, as it is
      now</th></tr></thead>
      <tbody>${differs.map(name => html`<tr key=${name}><th
        scope="row">${SHOWN[name]}</th><td>${shown(old[name])}</td><td>${shown(mine[name])}</td>
        <td>${shown(theirs[name])}</td></tr>`)}</tbody></table></div><//>`;
}

/** Carries an action out, and offers to take it back where that is an action too. */
export async function act(user, action, changed) {
  const back = { 'block-agent': 'enable-agent', 'disable-agent': 'enable-agent',
    'enable-agent': user.agent_status === 'blocked' ? 'block-agent' : 'disable-agent' }[action];
  try {
    const { data } = await ask('POST', ['users', { login: user.login }, 'actions', action]);
    forget();
    changed?.(data);
    notify(`${ACTIONS[action]}: ${user.name}.`, back ? { offer: ['Take it back', () => act(data, back, changed)] }
      : {});
  } catch (error) {
    const { title, text } = explain(error);
    notify(`${title}. ${text}`, { tone: 'bad' });
    changed?.();
  }
}

/** Deletes a user, once the login ID was typed. */
export function DeleteUser({ user, changed, close }) {
  const path = ['users', { login: user.login }];
  const remove = async () => {
    const { etag } = await ask('GET', path);
    await ask('DELETE', path, { etag });
    forget();
    notify(`${user.name} is deleted.`);
    changed?.(null);
  };
  return html`<${Confirm} title=${html`Delete <bdi>${user.name}</bdi>?`} word="Delete user" type=${user.login}
    act=${remove} close=${close}
    foot=${html`<${Commands} lines=${[curl('DELETE', path)]} />`}>
    <p>The user and the list of caller IDs are gone. This can’t be undone: to keep somebody out for a time, disable or
      block the agent.</p><//>`;
}

/** Whose team members are meant. */
export function TeamMembers({ teams, close }) {
  const [team, setTeam] = useState(teams[0]?.id ?? '');
  return html`<${Dialog} title="View team members" word="View" close=${close} ready=${Boolean(team)} submit=${() =>
    go(['users'], { team })}
    foot=${html`<${Commands} lines=${[team && curl('GET', ['teams', { id: team }, 'members'])]} />`}>
    ${teams.length ? html`<${Select} label="Team" value=${team} onChange=${setTeam} options=${teams.map(one => [one.id,
      one.name])} />`
    : html`<p>There are no teams yet. Settings has them.</p>`}<//>`;
}

