// One number: its life, who may dial from it, and its changes.
import { html, useState } from '../core/html.js';
import { can, who } from '../core/auth.js';
import { counted, moment } from '../core/format.js';
import { age } from '../core/numbers.js';
import { useList, useThing } from '../core/list.js';
import { go, href } from '../core/router.js';
import { useKeys } from '../core/keys.js';
import { nameOf, useCatalogue } from '../ui/catalogue.js';
import { open } from '../ui/dialog.js';
import { Menu } from '../ui/menu.js';
import { Button, Chip, Day, Empty, Fact, Facts, Heading, Loading, Num, Own, Time, Trouble } from '../ui/parts.js';
import { Table } from '../ui/table.js';
import { NUMBER_STATES, POLICIES } from '../ui/words.js';
import { Changes } from './changes.js';
import { Days, setState } from './numbers.js';
import { EditNumber, RestNumbers } from './numbers-forms.js';

const DAY = 86_400_000;

/** What may become of a number, by its state. */
const NEXT = {
  new: ['active', 'resting', 'retired'], active: ['flagged', 'resting', 'retired'], flagged: ['active', 'resting',
    'retired'],
  resting: ['active', 'retired'], retired: ['new'],
};
const WORDS = { active: 'Put into service', flagged: 'Flag', resting: 'Rest…', retired: 'Retire',
  new: 'Make it new again' };

export default function Number_({ parts: [, id] }) {
  const thing = useThing(['numbers', { number: id }]);
  const [asked, setAsked] = useState(false);
  const holders = useList(['numbers', { number: id }, 'users'], {}, { limit: 0, wanted: asked });
  const departments = useCatalogue('departments', can('users.read'));
  const may = can('numbers.write');
  const rotate = () => go(['rotation'], { retire: id });
  useKeys(may ? { r: ['Rotate the number', rotate] } : {});
  const back = [href(['numbers']), 'Numbers'];
  if (thing.error) {
    return html`<${Heading} title=${id} back=${back} />${thing.error.status === 404
      ? html`<${Empty} title="The account doesn’t have this number">It may be written otherwise, or it was never
        added.<//>`
      : html`<${Trouble} error=${thing.error} again=${thing.reload} />`}`;
  }
  if (!thing.data) return html`<${Heading} title=${id} back=${back} /><${Loading} />`;
  const number = thing.data, reload = () => thing.reload(true);
  const since = at => (at ? Math.floor((Date.now() - Date.parse(at)) / DAY) : undefined);
  const days = ['active', 'flagged'].includes(number.state) ? since(number.in_service_since) : undefined;
  const change = state => (state === 'resting' ? open(close => html`<${RestNumbers} numbers=${[id]} close=${close}
    done=${reload} />`) : setState([id], { state }, reload));
  const columns = [
    { name: 'Name', cell: user => html`<a href=${href(['users', user.login])}><${Own}>${user.name}<//></a>` },
    { name: 'Login ID', cell: user => html`<${Own}>${user.login}<//>` },
    { name: 'By', cell: user => POLICIES[user.policy] },
  ];
  return html`
    <${Heading} title=${html`<${Num} of=${number.number} />`} back=${back} actions=${may && html`
      <${Menu} word="Actions" items=${NEXT[number.state].map(state => [WORDS[state], () => change(state)])} />
      <${Button} onClick=${() => open(close => html`<${EditNumber} number=${number} etag=${thing.etag} close=${close}
        done=${reload} />`)}>Edit<//>
      ${number.state !== 'retired' && html`<${Button} kind="main" onClick=${rotate}>Rotate…<//>`}`}>
      <${Chip} tone=${NUMBER_STATES[number.state][1]}>${NUMBER_STATES[number.state][0]}<//><//>
    ${number.warnings.map(({ code, message }) => html`<div class="banner warn"
      key=${code}><div>${message} <code>${code}</code></div></div>`)}
    <div class="two">
      <section aria-labelledby="life"><h2 id="life">Its life</h2><${Facts}>
        <${Fact} name="In service"><${Days} days=${days} tone=${age({ days_in_service: days })} />
          ${number.in_service_since && html` <span class="faint">since ${moment(number.in_service_since)}</span>`}<//>
        <${Fact} name="Flagged"><${Time} at=${number.flagged_since} /><//>
        <${Fact} name="State since"><${Time} at=${number.state_since} /><//>
        ${number.resting_until && html`<${Fact} name="Rests until"><${Day} date=${number.resting_until} /><//>`}
        ${number.reserved_by && html`<${Fact} name="Being rotated by"><a href=${href(['jobs', number.reserved_by])}>a
          job</a><//>`}
        ${number.replaced_by && html`<${Fact} name="Replaced by"><a href=${href(['numbers',
          number.replaced_by])}><${Num} of=${number.replaced_by} /></a><//>`}
        ${number.second_look && html`<${Fact} name="Looked at once more on"><${Day}
          date=${number.second_look.from} /><//>`}
        <${Fact} name="Department"><${Own}>${nameOf(departments, number.department)}<//><//>
        <${Fact} name="Purpose">${number.purpose ?? '—'}<//><${Fact} name="Attestation">${number.attestation ?? '—'}<//>
        <${Fact} name="Provider"><${Own}>${number.provider}<//><//>
        <${Fact} name="Labels">${number.labels.length ? number.labels.map(label => html`<${Chip}>${label}<//> `)
          : '—'}<//>
      <//></section>
      <section aria-labelledby="holders"><h2 id="holders">Who may dial from it</h2>
        ${!asked ? html`<p>All users are looked through, which takes some seconds in a large account.</p>
          <p><${Button} onClick=${() => setAsked(true)}>Look who may<//></p>`
    : holders.error ? html`<${Trouble} error=${holders.error} again=${holders.reload} />`
      : holders.complete && !holders.items.length ? html`<p>It is on nobody’s list, and no policy gives it.</p>` : html`
          <${Table} label="Who may dial from it" columns=${columns} rows=${holders.items} keyOf=${user => user.login}
            open=${user => go(['users', user.login])}
            loading=${holders.loading && 'Looking through all users'} more=${!holders.complete && holders.more} />
          <p class="foot" role="status">${holders.loading ? '' : `${counted(holders.items.length,
            'user')}${holders.complete ? '' : ' so far'}`}</p>`}
      </section>
    </div>
    ${can('audit.read') && html`<section aria-labelledby="changes"><h2 id="changes">Last changes</h2><${Changes} all
      query=${{ number: id }} me=${who().sub} /></section>`}`;
}
