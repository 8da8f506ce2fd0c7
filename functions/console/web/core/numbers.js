// The account's numbers. They are few, so the browser reads them all, and filters, sorts and counts them.
import { ask } from './api.js';
import { useEffect, useRef, useState } from './html.js';

/** Numbers of a page, where all are read. */
const PAGE = 200;
/** Most that a browser reads by itself. */
const MOST = 20_000;
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
export async function everyNumber(stop, seen = () => {}) {
  const all = [];
  let cursor;
  do {
    const { data } = await ask('GET', 'numbers', { query: { limit: PAGE, cursor }, signal: stop });
    all.push(...data.items);
    seen(all.length);
    cursor = data.next;
  } while (cursor && all.length < MOST);
  return { all, complete: !cursor };
}

/** The numbers that the filters let through, in order. */
export function useNumbers(filters) {
  const [state, setState] = useState({ all: null, error: null, seen: 0, complete: true });
  const run = useRef(null);
  const load = async () => {
    run.current?.abort();
    const stop = run.current = new AbortController();
    try {
      const found = await everyNumber(stop.signal, seen => setState(old => ({ ...old, seen })));
      setState({ ...found, error: null, seen: found.all.length });
    } catch (error) {
      if (!stop.signal.aborted) setState(old => ({ ...old, error }));
    }
  };
  useEffect(() => {
    load();
    return () => run.current?.abort();
  }, []);
  const { sort = 'number', ...wanted } = filters;
  const [name, direction] = sort.startsWith('-') ? [sort.slice(1), -1] : [sort, 1];
  const order = ORDERS[name] ?? ORDERS.number;
  const all = state.all ?? [];
  const rows = all.filter(number => matches(number, wanted)).sort((a, b) => direction * order(a, b));
  return { ...state, rows, summary: summary(all), loading: !state.all && !state.error, reload: load };
}

