// How many users there are, by what they are.
import { html, useState } from '../core/html.js';
import { useThing } from '../core/list.js';
import { ago, count, moment } from '../core/format.js';
import { href } from '../core/router.js';
import { Button, Card, Cards } from '../ui/parts.js';

/** Cards that lead to the lists. They are counted once a day, and when somebody asks. */
export function Counts({ query }) {
  const [anew, setAnew] = useState(false);
  const { data, loading, error, reload } = useThing(['user-counts'], anew ? { query: { max_age_seconds: 0 } } : {});
  if (error || !data?.users) return null;
  const { agent_status: agents, web_login: logins } = data;
  const card = (value, name, filters, tone = '') => html`<${Card} value=${count(value)} name=${name} tone=${value ? tone
    : ''} to=${filters && href(['users'], filters)}
    current=${filters && Object.entries(filters).every(([filter, wanted]) => query[filter] === wanted)} />`;
  return html`<nav aria-label="Users by what they are"><${Cards}>
      ${card(data.calling_agents, 'calling agents', { calling_agent: 'true' })}
      ${card(agents.disabled, 'agents disabled', { agent_status: 'disabled' }, 'warn')}
      ${card(agents.blocked, 'agents blocked', { agent_status: 'blocked' }, 'bad')}
      ${card(logins.blocked, 'web logins blocked', { web_login: 'blocked' }, 'warn')}
      ${card(data.without_numbers, 'without a number', null, 'bad')}<//></nav>
    <p class="foot">${count(data.users)} in all, counted <time datetime=${data.counted_at}
      title=${moment(data.counted_at)}>${ago(data.counted_at)}</time>. ${loading ? 'Counting…' : html`<${Button}
      kind="small" onClick=${() => (anew ? reload() : setAnew(true))}>Count again<//>`}</p>`;
}
