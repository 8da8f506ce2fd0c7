// Azure AD users: looked at as the directory has them now, imported, kept in step.
import { html, useState } from '../core/html.js';
import { ask } from '../core/api.js';
import { can } from '../core/auth.js';
import { count, counted } from '../core/format.js';
import { useList, useThing } from '../core/list.js';
import { go, href, setQuery } from '../core/router.js';
import { useCatalogue } from '../ui/catalogue.js';
import { Commands, curl, line } from '../ui/command.js';
import { Dialog, open } from '../ui/dialog.js';
import { Menu } from '../ui/menu.js';
import { Banner, Button, Chip, Empty, Heading, Loading, Mail, Num, Own, PreviewFirst, Search, Select, Time, Trouble
  } from '../ui/parts.js';
import { Table } from '../ui/table.js';

export default function Directory({ query }) {
  const directory = useThing('directory');
  const connected = directory.data?.connected === true;
  const list = useList('directory/users', { search: query.search }, { wanted: connected });
  const [chosen, setChosen] = useState(new Map());
  const may = can('directory.write');
  const back = html`<a class="button" href=${href(['users'])}>All users</a>`;
  if (directory.error) return html`<${Heading} title="Azure AD users" actions=${back} /><${Trouble}
    error=${directory.error} again=${directory.reload} />`;
  if (!directory.data) return html`<${Heading} title="Azure AD users" /><${Loading} />`;
  if (!connected) {
    return html`<${Heading} title="Azure AD users" actions=${back} /><${Provisioning} /><${Empty}
      title="No directory is connected">
      Whoever runs the stack connects a tenant of Entra ID (formerly Azure AD), with <code>rollcall directory
        connect</code>: an application with the permission <code>User.Read.All</code>.<//>`;
  }
  const choose = (ids, words) => open(close => html`<${Import} ids=${ids} search=${ids ? null : query.search}
    words=${words} close=${close} />`);
  const columns = [
    { name: 'Name', cell: one => html`<${Own}>${one.name}<//>` },
    { name: 'E-mail', cell: one => html`<${Mail} of=${one.email} />` },
    { name: 'Login ID', cell: one => html`<${Own}>${one.login}<//>` },
    { name: 'Phone number', cell: one => html`<${Num} of=${one.phone} />` },
    { name: 'May log in there', cell: one => (one.enabled ? 'Yes' : 'No') },
    { name: 'Here', cell: one => (one.user ? html`<a href=${href(['users', one.user])}><${Own}>${one.user}<//></a>`
      : html`<${Chip}>not imported<//>`) },
  ];
  const sync = () => open(close => html`<${Sync} close=${close} />`);
  return html`
    <${Heading} title="Azure AD users" actions=${html`${back}
      ${may && html`<${Menu} word="Import" items=${[
    chosen.size > 0 && [`Import ${counted(chosen.size, 'chosen user')}`, () => choose([...chosen.keys()],
      counted(chosen.size, 'user'))],
    query.search && [`Import all found by “${query.search}”`, () => choose(null, `all found by “${query.search}”`)],
    ['Import by a filter of Microsoft Graph', () => open(close => html`<${Import} words="all that the filter finds"
      close=${close} />`)]]} />
        <${Button} onClick=${sync}>Sync now<//>`}`}>
      <span class="faint">Tenant <b><bdi>${directory.data.tenant}</bdi></b></span><//>
    <${Standing} directory=${directory.data} /><${Provisioning} />
    <div class="filters" role="search" aria-label="Azure AD users">
      <${Search} label="Search by the beginning of a name, e-mail or login ID" placeholder="Search Azure AD users"
        value=${query.search}
        onSearch=${search => setQuery({ search }, { typed: true })} /></div>
    ${chosen.size > 0 && html`<div class="chosen" role="region" aria-label="Chosen users"><b
      role="status">${count(chosen.size)} chosen</b>
      <${Button} kind="main" onClick=${() => choose([...chosen.keys()], counted(chosen.size, 'user'))}>Import…<//>
      <${Button} kind="plain" onClick=${() => setChosen(new Map())}>Choose none<//></div>`}
    ${list.error && html`<${Trouble} error=${list.error} again=${list.reload} />`}
    ${list.complete && !list.items.length ? html`<${Empty} title="Nobody like that">The directory finds how a word of
      the name, the e-mail address or the login ID begins.<//>` : html`
    <${Table} label="Azure AD users" columns=${columns} rows=${list.items} keyOf=${one => one.id} chosen=${chosen}
      choose=${may ? setChosen : undefined}
      onAll=${() => setChosen(new Map(list.items.map(one => [one.id, one])))} open=${one => one.user && go(['users',
        one.user])}
      loading=${list.loading} more=${!list.complete && list.more} />
    <p class="foot" role="status">${list.loading ? '' : `${counted(list.items.length, 'user')} shown${list.complete ? ''
      : ', there are more'}`}</p>`}`;
}

/** Whether the directory pushes users in by itself, and whom it was refused. */
function Provisioning() {
  const keys = useThing('directory/scim-keys');
  if (!keys.data?.items.length) return null;
  const { items, errors } = keys.data;
  const columns = [
    { name: 'User or group', cell: one => html`<${Own}>${one.about}<//>` },
    { name: 'Refused', cell: one => html`<${Time} at=${one.at} />` },
    { name: 'Times', cell: one => count(one.times) },
    { name: 'Why', cell: one => html`<${Own}>${one.detail}<//>` },
  ];
  return html`
    <p class="hint">The directory pushes users in, by SCIM. ${items.map(one => html`Key
      <b><bdi>${one.name ?? one.id}</bdi></b>: last request ${one.last_used ?? 'never'}. `)}</p>
    ${errors.length > 0 && html`<${Table} label="What the directory was refused" columns=${columns} rows=${errors}
      keyOf=${one => one.about} />`}`;
}

function Standing({ directory: { last_sync: sync, last_import: imported } }) {
  const held = sync && typeof sync.outcome === 'object' && sync.outcome.on_hold;
  const job = (id, text) => (can('jobs.read') ? html`<a href=${href(['jobs', id])}>${text}</a>` : text);
  return html`
    ${held && html`<${Banner} tone="warn" actions=${can('jobs.read') && html`<a class="button main" href=${href(['jobs',
      sync.job])}>Look and decide</a>`}>
      <strong>A sync is on hold: nothing has been changed.</strong> <p>${held.reason}</p><//>`}
    <p class="hint">${sync ? html`Last sync ${job(sync.job, html`<${Time} at=${sync.at} />`)}: ${counted(sync.linked,
      'user')} linked, ${count(sync.updated)} updated, ${count(sync.deactivated)} deactivated,
      ${count(sync.failed)} failed.` : 'No sync yet.'}
      ${imported && html` Last import ${job(imported.job, html`<${Time}
        at=${imported.at} />`)}: ${counted(imported.users, 'user')}.`}</p>`;
}

function Import({ ids, search, words, close }) {
  const [role, setRole] = useState(''), [filter, setFilter] = useState(''), [relink, setRelink] = useState(false);
  const [preview, setPreview] = useState(true);
  const roles = useCatalogue('roles', can('users.read'));
  const body = { ...(ids ? { ids } : search ? { search } : { filter }), ...(role && { role }),
    ...(relink && { relink }), ...(preview && { preview }) };
  const submit = async () => {
    const { data } = await ask('POST', 'directory/import', { body });
    go(can('jobs.read') ? ['jobs', data.job] : ['users']);
  };
  return html`<${Dialog} title="Import Azure AD users" word=${preview ? 'Preview' : 'Import'}
    close=${close} submit=${submit}
    ready=${Boolean(ids?.length || search || filter.trim())}
    foot=${html`<${Commands} lines=${[curl('POST', 'directory/import', { body })]} />`}>
    <p>Imports <b>${words}</b> as users of the account. Who is here already is brought in step.</p>
    ${!ids && !search && html`<div class="field"><label for="graph">Filter</label><input id="graph" dir="ltr"
      value=${filter} placeholder="department eq 'Sales'"
      onInput=${event => setFilter(event.target.value)} aria-describedby="graph-hint" /><p class="hint"
        id="graph-hint">What Microsoft Graph takes as <code>$filter</code> of users.</p></div>`}
    <${Select} label="Role" value=${role} onChange=${setRole} options=${[['', 'None'], ...roles.map(one => [one.id,
      one.name])]} />
    ${ids && html`<div class="check"><input type="checkbox" id="relink" checked=${relink} onChange=${event =>
      setRelink(event.target.checked)} /><div><label for="relink">Somebody has come back</label>
      <p class="hint">A user whose own person the directory has no longer becomes the one with the same login
        ID.</p></div></div>`}
    <${PreviewFirst} preview=${preview} setPreview=${setPreview} hint="Shows who would be created and what of whom would
      change; nothing is changed until you say so." /><//>`;
}

function Sync({ close }) {
  const [preview, setPreview] = useState(true);
  const body = preview ? { preview } : {};
  const submit = async () => {
    const { data } = await ask('POST', 'directory/sync', { body });
    go(can('jobs.read') ? ['jobs', data.job] : ['directory']);
  };
  return html`<${Dialog} title="Sync now" word=${preview ? 'Preview' : 'Sync'} close=${close} submit=${submit}
    foot=${html`<${Commands} lines=${[line(['directory', 'sync', ...(preview ? ['--preview'] : [])]), curl('POST',
      'directory/sync', { body })]} />`}>
    <p>Users that came from the directory follow it: names, addresses, telephones, and who may not log in any more.</p>
    <${PreviewFirst} preview=${preview} setPreview=${setPreview} hint="Shows each change, and what the safety threshold
      says of them; nothing is changed until you say so. Without it, the sync is on hold where it would deactivate more
      than the threshold." /><//>`;
}
