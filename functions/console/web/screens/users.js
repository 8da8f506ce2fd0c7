// All users: every field, filter and action of the list.
import { html, useState } from '../core/html.js';
import { can } from '../core/auth.js';
import { counted } from '../core/format.js';
import { forget, useList } from '../core/list.js';
import { go, href, setQuery } from '../core/router.js';
import { useKeys } from '../core/keys.js';
import { nameOf, useCatalogue } from '../ui/catalogue.js';
import { allowedKinds, sample, uploadDialog } from '../ui/drop.js';
import { open } from '../ui/dialog.js';
import { Menu } from '../ui/menu.js';
import { saveList } from '../ui/save.js';
import { Button, Chip, Empty, Heading, Mail, Num, Own, Search, Select, Trouble } from '../ui/parts.js';
import { Table } from '../ui/table.js';
import { ACTIONS, AGENT_STATES, SWITCH_STATES, WEB_LOGINS, legal } from '../ui/words.js';
import { Chosen } from './users-bulk.js';
import { Counts } from './users-counts.js';
import { AddUser, DeleteUser, EditUser, TeamMembers, act } from './users-forms.js';

const YES = [['true', 'yes'], ['false', 'no']];

/** The filters of the list that the address names. */
const FILTERS = ['search', 'agent_status', 'web_login', 'calling_agent', 'has_extension', 'role', 'department', 'team',
  'switch'];

/** What may be done with one user, as a menu. */
export function UserActions({ user, changed, small = false }) {
  if (!can('users.write')) return null;
  const items = [
    ['Edit user', () => open(close => html`<${EditUser} login=${user.login} changed=${changed} close=${close} />`)],
    ...legal(user).map(action => [ACTIONS[action], () => act(user, action, changed)]),
    ['Delete user', () => open(close => html`<${DeleteUser} user=${user} changed=${changed} close=${close} />`)],
  ];
  return html`<${Menu} kind=${small ? 'small' : ''} word=${small ? '⋯' : 'Actions'} bare=${small}
    label=${`Actions on ${user.login}`} items=${items} />`;
}

export default function Users({ query }) {
  const [chosen, setChosen] = useState(new Map()), [every, setEvery] = useState(false);
  const asked = Object.fromEntries(FILTERS.map(name => [name, query[name]]));
  const list = useList('users', asked);
  const roles = useCatalogue('roles'), departments = useCatalogue('departments'), teams = useCatalogue('teams');
  const filtered = FILTERS.some(name => asked[name]);
  const filter = (name, label, options) => html`<${Select} hidden label=${label} value=${query[name]}
    onChange=${value => { choose(new Map()); setQuery({ [name]: value }); }} options=${[['', `${label}: any`],
      ...options]} />`;
  const entries = items => items.map(one => [one.id, one.name]);
  const choose = next => { setChosen(next); setEvery(false); };
  const changed = () => list.reload();
  const add = () => open(close => html`<${AddUser} close=${close} added=${user => { forget(); go(['users', user.login]);
    }} />`);
  useKeys({ n: ['Add a user', () => can('users.write') && add()] });
  const kinds = allowedKinds();
  const more = [
    ['View agents', href(['users'], { calling_agent: 'true' })],
    ['View team members', () => open(close => html`<${TeamMembers} teams=${teams} close=${close} />`)],
    ['Extension status', href(['extensions'])],
    ['All roles', href(['settings'], { part: 'roles' })],
    [filtered ? 'Download CSV of these' : 'Download CSV', () => saveList('users', asked, query.calling_agent === 'true'
      ? 'agents.csv' : 'users.csv', 'user')],
    can('jobs.read') && ['Sample CSV', () => sample('upload-users')],
    kinds.includes('upload-users') && ['Upload users', () => uploadDialog('upload-users')],
    kinds.includes('append-caller-ids') && ['Bulk append caller ID', () => uploadDialog('append-caller-ids')],
  ];
  const columns = [
    { name: 'Name', cell: user => html`<a href=${href(['users', user.login])}><${Own}>${user.name}<//></a>` },
    { name: 'Login ID', cell: user => html`<${Own}>${user.login}<//>` },
    { name: 'Call forward number', cell: user => html`<${Num} of=${user.call_forward_number} />` },
    { name: 'E-mail', cell: user => html`<span class="mail"><${Mail} of=${user.email} /></span>` },
    { name: 'Agent status', cell: user => chip(AGENT_STATES, user.agent_status) },
    { name: 'Extension', cell: user => (user.extension ? html`Yes <span class="faint">${user.extension.intercom}</span>`
      : 'No') },
    { name: 'Web login', cell: user => chip(WEB_LOGINS, user.web_login) },
    { name: 'Calling agent', cell: user => (user.calling_agent ? 'Yes' : 'No') },
    can('users.write') && { name: 'Actions', end: true, cell: user => html`<${UserActions} small user=${user}
      changed=${changed} />` },
  ].filter(Boolean);
  return html`
    <${Heading} title="All users" actions=${html`<${Menu} word="More actions" items=${more} />
      ${can('users.write') && html`<${Button} kind="main" onClick=${add}>Add user<//>`}`} />
    <${Counts} query=${query} />
    <div class="filters" role="search" aria-label="Users">
      <${Search} label="Search by name, login ID or e-mail" placeholder="Search users" value=${query.search}
        onSearch=${search => setQuery({ search }, { typed: true })} />
      ${filter('agent_status', 'Agent status', Object.keys(AGENT_STATES).map(one => [one, one]))}
      ${filter('web_login', 'Web login', Object.keys(WEB_LOGINS).map(one => [one, one]))}
      ${filter('calling_agent', 'Calling agent', YES)}
      ${filter('has_extension', 'Extension', YES)}
      ${roles.length > 0 && filter('role', 'Role', entries(roles))}
      ${departments.length > 0 && filter('department', 'Department', entries(departments))}
      ${teams.length > 0 && filter('team', 'Team', entries(teams))}
      ${query.switch && filter('switch', 'In the phone system', Object.entries(SWITCH_STATES)
        .map(([one, [word]]) => [one, word]))}
      ${filtered && html`<a href=${href(['users'])}>Clear filters</a>`}
    </div>
    ${chosen.size > 0 && html`<${Chosen} chosen=${chosen} clear=${() => choose(new Map())} every=${every}
      setEvery=${setEvery}
      asked=${asked} complete=${list.complete && chosen.size === list.items.length} total=${list.complete
        ? list.items.length : null} />`}
    ${list.error && html`<${Trouble} error=${list.error} again=${list.reload} />`}
    ${list.complete && !list.items.length && !list.error ? html`<${Nobody} filtered=${filtered} add=${add}
      kinds=${kinds} />` : html`
      <${Table} label="Users" columns=${columns} rows=${list.items} keyOf=${user => user.login} chosen=${chosen}
        choose=${can('users.write') && can('jobs.write') ? choose : undefined}
        onAll=${() => { setChosen(new Map(list.items.map(user => [user.login, user]))); setEvery(true); }}
        open=${user => go(['users', user.login])} loading=${list.loading && (list.looking ? 'Looking through all users'
          : true)}
        more=${!list.complete && list.more}
        keys=${can('users.write') ? { e: ['Edit the user', user => open(close => html`<${EditUser} login=${user.login}
          changed=${changed} close=${close} />`)] } : {}} />
      <p class="foot" role="status">${list.loading ? '' : `${counted(list.items.length, 'user')} shown${list.complete
        ? '' : ', there are more'}`}
        ${query.team ? ` · team ${nameOf(teams, query.team)}` : ''}</p>`}`;
}

const chip = (words, value) => html`<${Chip} tone=${words[value]?.[1]}>${words[value]?.[0] ?? value}<//>`;

function Nobody({ filtered, add, kinds }) {
  if (filtered) {
    return html`<${Empty} title="Nobody like that" actions=${html`<a class="button" href=${href(['users'])}>Clear the
      filters</a>`}>
      Leave a filter out, or search for a part of the name, the login ID or the e-mail address.<//>`;
  }
  return html`<${Empty} title="No users yet" actions=${html`
    ${can('users.write') && html`<${Button} kind="main" onClick=${add}>Add user<//>`}
    ${kinds.includes('upload-users') && html`<${Button} onClick=${() => uploadDialog('upload-users')}>Upload users<//>`}
    ${can('directory.read') && html`<a class="button" href=${href(['directory'])}>Import from Azure AD</a>`}`}>
    Add one, drop a CSV file anywhere on this page, or import people from your directory.<//>`;
}
