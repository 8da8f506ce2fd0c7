// Numbers: the inventory at a glance, and which are due.
import { html, useState } from '../core/html.js';
import { ask, explain } from '../core/api.js';
import { can } from '../core/auth.js';
import { count, counted, daysAgo } from '../core/format.js';
import { DUE, LATE, age, useNumbers } from '../core/numbers.js';
import { go, href, setQuery } from '../core/router.js';
import { useKeys } from '../core/keys.js';
import { nameOf, useCatalogue } from '../ui/catalogue.js';
import { open } from '../ui/dialog.js';
import { allowedKinds, sample, uploadDialog } from '../ui/drop.js';
import { Menu } from '../ui/menu.js';
import { notify } from '../ui/notices.js';
import { saveList } from '../ui/save.js';
import { Button, Card, Cards, Chip, Day, Empty, Heading, Num, Own, Search, Select, Trouble } from '../ui/parts.js';
import { Table } from '../ui/table.js';
import { NUMBER_STATES } from '../ui/words.js';
import { AddNumbers, RestNumbers } from './numbers-forms.js';

/** Rows that are shown at first, and at each further step. */
const STEP = 200;
const PURPOSES = ['promotional', 'service', 'other'];

export const StateChip = ({ number }) => html`<${Chip}
  tone=${NUMBER_STATES[number.state][1]}>${NUMBER_STATES[number.state][0]}<//>
  ${number.state === 'resting' && number.resting_until && html` <span class="faint">until <${Day}
    date=${number.resting_until} /></span>`}
  ${number.reserved_by && html` <a href=${href(['jobs', number.reserved_by])}>being rotated</a>`}`;

export const Days = ({ days, tone }) => (days === undefined ? html`<span class="none">—</span>`
  : html`<span class=${tone === 'bad' ? 'num minus' : 'num'}>${tone === 'bad' ? html`<${Chip} tone="bad">late<//> `
    : tone === 'warn' ? html`<${Chip} tone="warn">due<//> ` : ''}
    ${counted(days, 'day')}</span>`);

/** Changes the state of numbers one by one, and tells which could not be changed. */
export async function setState(numbers, body, done) {
  let changed = 0;
  const failed = [];
  for (const number of numbers) {
    try {
      await ask('PATCH', ['numbers', { number }], { body });
      changed += 1;
    } catch (error) {
      failed.push(`${number}: ${explain(error).text || explain(error).title}`);
    }
  }
  if (changed) notify(`${counted(changed, 'number')}: ${body.state}.`);
  if (failed.length) notify(`${counted(failed.length, 'number')} not changed. ${failed[0]}`, { tone: 'bad' });
  done?.();
}

export default function Numbers({ query }) {
  const [chosen, setChosen] = useState(new Map()), [shown, setShown] = useState(STEP);
  const list = useNumbers(query);
  const departments = useCatalogue('departments', can('users.read'));
  const labels = [...new Set((list.all ?? []).flatMap(number => number.labels))].sort();
  const may = can('numbers.write');
  const filter = (name, label, options) => html`<${Select} hidden label=${label} value=${query[name]} options=${[['',
    `${label}: any`], ...options]}
    onChange=${value => { setChosen(new Map()); setQuery({ [name]: value }); }} />`;
  const filtered = ['state', 'department', 'purpose', 'label', 'due', 'search'].some(name => query[name]);
  const picked = () => [...chosen.keys()];
  const done = () => { setChosen(new Map()); list.reload(); };
  const rotate = () => go(['rotation'], { retire: picked().join(' ') });
  const rest = () => open(close => html`<${RestNumbers} numbers=${picked()} close=${close} done=${done} />`);
  const flag = () => setState(picked(), { state: 'flagged' }, done);
  const add = () => open(close => html`<${AddNumbers} close=${close} done=${list.reload} />`);
  useKeys({
    ...(may && { n: ['Add numbers', add] }),
    ...(may && chosen.size > 0 && { r: ['Rotate the chosen ones', rotate], f: ['Flag the chosen ones', flag] }),
  });
  const { summary } = list;
  const uploads = allowedKinds().includes('upload-numbers');
  const more = [
    ['Download CSV', () => saveList('numbers.csv', {}, 'numbers.csv', 'number')],
    can('jobs.read') && uploads && ['Sample CSV', () => sample('upload-numbers')],
    uploads && ['Upload numbers', () => uploadDialog('upload-numbers')],
  ];
  const card = (value, name, filters, tone = '') => html`<${Card} value=${count(value)} name=${name} tone=${value ? tone
    : ''} to=${href(['numbers'], filters)}
    current=${(query.state ?? '') === (filters.state ?? '') && (query.due ?? '') === (filters.due ?? '')} />`;
  const columns = [
    { name: 'Number', sort: 'number', cell: one => html`<a href=${href(['numbers', one.number])}><${Num}
      of=${one.number} /></a>` },
    { name: 'State', cell: one => html`<${StateChip} number=${one} />` },
    { name: 'In service', sort: 'days', cell: one => html`<${Days} days=${one.days_in_service} tone=${age(one)} />` },
    { name: 'Flagged', sort: 'flagged', cell: one => (one.days_since_flagged === undefined ? html`<span
      class="none">—</span>` : html`<span class="num">${daysAgo(one.days_since_flagged)}</span>`) },
    { name: 'Department', cell: one => html`<${Own}>${nameOf(departments, one.department)}<//>` },
    { name: 'Purpose', cell: one => one.purpose ?? html`<span class="none">—</span>` },
    { name: 'Attestation', cell: one => one.attestation ?? html`<span class="none">—</span>` },
    { name: 'Labels', cell: one => one.labels.map(label => html`<${Chip}>${label}<//> `) },
    { name: 'Warnings', cell: one => one.warnings.map(({ code, message }) => html`<span
      title=${code}>▲ ${message}</span> `) },
  ];
  return html`
    <${Heading} title="Numbers" actions=${html`<${Menu} word="More actions" items=${more} />
      ${may && html`<a class="button" href=${href(['rotation'])}>Rotate…</a>
        <${Button} kind="main" onClick=${add}>Add numbers<//>`}`} />
    ${summary.all > 0 && html`<nav aria-label="Numbers by state"><${Cards}>
      ${card(summary.all, 'all', {})}${card(summary.active, 'active', { state: 'active' },
        'good')}${card(summary.flagged, 'flagged', { state: 'flagged' }, 'bad')}
      ${card(summary.due, `due: ${DUE} days or more`, { due: String(DUE) }, 'warn')}${card(summary.late,
        `late: ${LATE} days or more`, { due: String(LATE) }, 'bad')}
      ${card(summary.new, 'new', { state: 'new' })}${card(summary.resting, 'resting', { state: 'resting'
        })}${card(summary.retired, 'retired', { state: 'retired' })}
    <//></nav>`}
    <div class="filters" role="search" aria-label="Numbers">
      <${Search} label="Search by digits or label" placeholder="Search numbers" value=${query.search}
        onSearch=${search => setQuery({ search }, { typed: true })} />
      ${filter('state', 'State', Object.keys(NUMBER_STATES).map(one => [one, one]))}
      ${departments.length > 0 && filter('department', 'Department', departments.map(one => [one.id, one.name]))}
      ${filter('purpose', 'Purpose', PURPOSES.map(one => [one, one]))}
      ${labels.length > 0 && filter('label', 'Label', labels.map(one => [one, one]))}
      ${filtered && html`<a href=${href(['numbers'])}>Clear filters</a>`}
    </div>
    ${chosen.size > 0 && html`<div class="chosen" role="region" aria-label="Chosen numbers"><b
      role="status">${count(chosen.size)} chosen</b>
      <${Button} kind="main" onClick=${rotate}>Rotate…<//><${Button} onClick=${flag}>Flag<//><${Button}
        onClick=${rest}>Rest…<//>
      <${Button} onClick=${() => setState(picked(), { state: 'active' }, done)}>Put into service<//>
      <${Button} kind="plain" onClick=${() => setChosen(new Map())}>Choose none<//></div>`}
    ${list.error && html`<${Trouble} error=${list.error} again=${list.reload} />`}
    ${!list.loading && !list.error && !list.rows.length ? html`<${NoNumbers} query=${query} filtered=${filtered}
      add=${may && add} />`
      : html`
    <${Table} label="Numbers" columns=${columns} rows=${list.rows.slice(0, shown)} keyOf=${one => one.number}
      chosen=${chosen} choose=${may ? setChosen : undefined}
      onAll=${() => setChosen(new Map(list.rows.map(one => [one.number, one])))} open=${one => go(['numbers',
        one.number])}
      sorted=${query.sort ?? 'number'} onSort=${sort => setQuery({ sort })}
      loading=${list.loading && (list.seen ? `Reading numbers: ${count(list.seen)} so far` : true)}
        more=${list.rows.length > shown ? () => setShown(shown + STEP) : !list.complete && list.more && (() => {
        setShown(shown + STEP);
        list.more();
      })} />
    <p class="foot" role="status">${list.loading ? '' : `${counted(Math.min(shown, list.rows.length),
      'number')} shown of ${count(list.rows.length)}`}
      ${!list.complete && ' There are more.'}</p>`}`;
}

function NoNumbers({ query, filtered, add }) {
  if (query.due || query.state === 'flagged') {
    return html`<${Empty} title=${query.due ? 'No number is due' : 'No number is flagged'} actions=${html`<a
      class="button" href=${href(['numbers'])}>Show all numbers</a>`}>
      That is good. Numbers are due from ${DUE} days in service on.<//>`;
  }
  if (filtered) return html`<${Empty} title="No number like that" actions=${html`<a class="button"
    href=${href(['numbers'])}>Clear the filters</a>`}>Leave a filter out.<//>`;
  return html`<${Empty} title="No numbers yet" actions=${add && html`<${Button} kind="main" onClick=${add}>Add
    numbers<//>`}>
    Numbers come first: what the account has decides what users may dial from.<//>`;
}
