// The account's numbers: where they are few, the browser reads them all, and filters, sorts and counts them.
import { ask } from './api.js';
import { useEffect, useRef, useState } from './html.js';
import { useList } from './list.js';

/** Numbers of a page, where all are read. */
const PAGE = 200;
/** Most that a browser reads by itself. */
const MOST = 20_000;
/** So many are few. */
const FEW = 2000;
/** From so many days in service on a number is due, and late: numbers get flagged after 15 to 20. */
export const DUE = 15, LATE = 20;

/** How urgent a number's age is. */
export const age = number => (number.days_in_service >= LATE ? 'bad' : number.days_in_service >= DUE ? 'warn' : '');

const has = (value, wanted) => !wanted || value === wanted;

/** Whether a number is let through. */
export function matches(number, { state, department, purpose, label, due, search }) {
  const digits = search?.replace(/\D/g, '') ?? '';
  return has(number.state, state) && has(number.department, department) && has(number.purpose, purpose)
    && (!label || number.labels.includes(label)) && (!due || number.days_in_service >= Number(due))
    && (!search || (digits && number.number.includes(digits)) || number.labels.some(one => one.includes(search)));
}

const ORDERS = {
  number: (a, b) => (a.number < b.number ? -1 : 1),
  days: (a, b) => (a.days_in_service ?? -1) - (b.days_in_service ?? -1),
  flagged: (a, b) => (a.days_since_flagged ?? -1) - (b.days_since_flagged ?? -1),
};

/** Counts that an operator looks at first. */
export function summary(numbers) {
  const of = wanted => numbers.filter(wanted).length;
  const serving = one => ['active', 'flagged'].includes(one.state);
  return {
    all: numbers.length,
    ...Object.fromEntries(['new', 'active', 'flagged', 'resting', 'retired'].map(state => [state, of(one =>
      one.state === state)])),
    due: of(one => serving(one) && one.days_in_service >= DUE), late: of(one => serving(one)
      && one.days_in_service >= LATE),
  };
}

/** Reads every number, page by page. */
export async function everyNumber(stop, seen) {
  const all = [];
  let cursor;
  do {
    const { data } = await ask('GET', 'numbers', { query: { limit: PAGE, cursor }, signal: stop });
    all.push(...data.items);
    seen?.(all.length);
    cursor = data.next;
  } while (cursor && all.length < MOST);
  return { all, complete: !cursor };
}

/** The summary as the API counts it; null where so few are read whole. */
async function counted(stop) {
  const of = due => ask('GET', 'numbers/summary', { query: { due }, signal: stop }).then(({ data }) => data);
  const due = await of(DUE);
  if (due.numbers <= FEW) return null;
  return { all: due.numbers, ...due.states, due: due.due, late: (await of(LATE)).due };
}

/**
 * The numbers that the filters let through, in order. Few are read whole, once; many are filtered by the API, page by
 * page.
 * With `whole`, all are read however many there are.
 */
export function useNumbers(filters, { whole = false } = {}) {
  const [state, setState] = useState({ all: null, counts: null, error: null, seen: 0, complete: true });
  const run = useRef(null);
  const load = async () => {
    run.current?.abort();
    const stop = run.current = new AbortController();
    try {
      const counts = whole ? null : await counted(stop.signal);
      if (counts) return setState({ all: null, counts, error: null, seen: 0, complete: true });
      const found = await everyNumber(stop.signal, seen => setState(old => ({ ...old, seen })));
      setState({ ...found, counts: null, error: null, seen: found.all.length });
    } catch (error) {
      if (!stop.signal.aborted) setState(old => ({ ...old, error }));
    }
  };
  useEffect(() => {
    load();
    return () => run.current?.abort();
  }, []);
  const { sort = 'number', state: is, department, purpose, label, due, search } = filters;
  const wanted = { state: is, department, purpose, label, due, search };
  const paged = useList('numbers', { ...wanted, sort: ['days', '-days'].includes(sort) ? sort : undefined },
    { limit: PAGE, wanted: Boolean(state.counts), retain: false });
  if (state.counts) {
    const reload = () => { load(); paged.reload(); };
    return { ...paged, rows: paged.items, all: null, summary: state.counts, seen: 0, reload };
  }
  const [name, direction] = sort.startsWith('-') ? [sort.slice(1), -1] : [sort, 1];
  const order = ORDERS[name] ?? ORDERS.number;
  const all = state.all ?? [];
  const rows = all.filter(number => matches(number, wanted)).sort((a, b) => direction * order(a, b));
  return { ...state, rows, summary: summary(all), loading: !state.all && !state.error, more: null, reload: load };
}
