// Extension status: who has which extension, and whether it is registered.
import { html } from '../core/html.js';
import { can } from '../core/auth.js';
import { count, counted } from '../core/format.js';
import { useList } from '../core/list.js';
import { go, href, setQuery } from '../core/router.js';
import { Chip, Empty, Heading, Num, Own, Search, Trouble } from '../ui/parts.js';
import { Table } from '../ui/table.js';

export default function Extensions({ query }) {
  const list = useList('extensions', { search: query.search });
  const columns = [
    { name: 'Extension name', cell: one => html`<a href=${href(['users', one.user])}><${Own}>${one.name}<//></a>` },
    { name: 'Login', cell: one => html`<${Own}>${one.login}<//>` },
    { name: 'Password', cell: one => html`<span aria-label="masked">${one.password}</span>` },
    { name: 'Intercom number', cell: one => one.intercom },
    { name: 'Caller ID', cell: one => (one.caller_id && can('numbers.read')
      ? html`<a href=${href(['numbers', one.caller_id])}><${Num} of=${one.caller_id} /></a>` : html`<${Num}
        of=${one.caller_id} />`) },
    { name: 'Registrations', end: true, cell: one => count(one.registrations) },
    { name: 'Status', cell: one => html`<${Chip} tone=${one.status === 'active' ? 'good' : 'bad'}>${one.status}<//>` },
  ];
  return html`<${Heading} title="Extension status" back=${[href(['users']), 'All users']} />
    <div class="filters" role="search" aria-label="Extensions">
      <${Search} label="Search by name, login ID or e-mail of the user" placeholder="Search extensions"
        value=${query.search}
        onSearch=${search => setQuery({ search }, { typed: true })} /></div>
    ${list.error && html`<${Trouble} error=${list.error} again=${list.reload} />`}
    ${list.complete && !list.items.length ? html`<${Empty} title=${query.search ? 'No extension like that'
      : 'No extensions yet'}>
      A user gets one by “Edit user”, or by the column <code>Assign Extension</code> of a file of users.<//>` : html`
    <${Table} label="Extensions" columns=${columns} rows=${list.items} keyOf=${one => one.login} open=${one =>
      go(['users', one.user])}
      loading=${list.loading} more=${!list.complete && list.more} />
    <p class="foot" role="status">${list.loading ? '' : `${counted(list.items.length, 'extension')} shown`}</p>`}`;
}
