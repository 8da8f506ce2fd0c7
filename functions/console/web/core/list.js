// Lists by pages. Rows that were seen are kept, so that Back shows them at once.
import { ask } from './api.js';
import { useEffect, useRef, useState } from './html.js';

/** Rows of a page. */
const PAGE = 50;
/** Rows that are looked for at once where pages have no size of their own. */
const MANY = 1000;
/** Lists that are kept. */
const KEPT = 12;
const kept = new Map();

/** Forgets what was kept, after something has changed. */
export const forget = () => kept.clear();

/**
 * A list of the API. Pages that came out empty are passed over, and how far it has looked is told.
 * @template {import('./routes').Path} const P
 * @param {P} path
 * @returns {{items: import('./routes').Items<P>,
 *   rest: any, loading: boolean, looking: number, error: any, complete: boolean,
 *   more: () => void, reload: () => void}}
 */
export function useList(path, query = {}, { limit = PAGE, wanted = true, retain = true } = {}) {
  const key = JSON.stringify([path, query, limit]);
  const blank = { items: [], rest: null, next: undefined, loading: wanted, looking: 0, error: null, complete: false };
  const [state, setState] = useState(() => kept.get(key) ?? blank);
  const run = useRef(null), shown = useRef(key);
  const load = async (from, fresh) => {
    run.current?.abort();
    const stop = run.current = new AbortController();
    let { items, next } = fresh ? { items: [], next: undefined } : from, rest = from.rest, looked = 0;
    // Where a page is what the API looks through, as many pages as it takes to fill a screen or two.
    const goal = items.length + (limit || MANY);
    const show = more => {
      const value = { items, rest, next, looking: 0, error: null, loading: false, complete: !next, ...more };
      setState(value);
      return value;
    };
    show({ loading: true, complete: false, items: fresh && from.items.length ? from.items : items });
    try {
      do {
        const { data } = await ask('GET', /** @type {any} */ (path), {
          query: { ...query, ...(limit && { limit }), cursor: next }, signal: stop.signal,
        });
        const { items: found, next: following, ...others } = data;
        items = [...items, ...found];
        rest ??= others;
        next = following;
        looked += 1;
        if (items.length < goal && next) show({ loading: true, complete: false, looking: looked });
      } while (next && items.length < goal);
      const value = show({});
      if (retain) {
        kept.delete(key);
        kept.set(key, value);
        if (kept.size > KEPT) kept.delete(kept.keys().next().value);
      }
    } catch (error) {
      if (!stop.signal.aborted) show({ error, loading: false });
    }
  };
  useEffect(() => {
    if (!wanted) return undefined;
    const old = kept.get(key);
    if (shown.current !== key) setState(old ?? { ...blank, items: state.items });
    shown.current = key;
    // What is kept shows at once, and is looked at anew when only its first page was seen.
    if (!old) load({ ...blank, items: state.items }, true);
    else if (old.items.length <= limit) load({ ...old, rest: null }, true);
    return () => run.current?.abort();
  }, [key, wanted]);
  return {
    ...state,
    more: () => load(state),
    reload: () => { forget(); load({ ...state, rest: null }, true); },
  };
}

/**
 * One thing, with its version. `reload` asks again.
 * @template {import('./routes').Path} const P
 * @param {P} path
 * @returns {{data?: import('./routes').Answer<'GET', P>, etag?: string, loading: boolean, error?: any,
 *   reload: (quiet?: boolean) => void, set: (data: any, etag?: string) => void}}
 */
export function useThing(path, options = {}) {
  const key = JSON.stringify([path, options]);
  const [state, setState] = useState({ loading: true });
  const load = async quiet => {
    if (!quiet) setState(old => ({ ...old, loading: true, error: null }));
    try {
      const { data, etag } = await ask('GET', path, options);
      setState({ data, etag, loading: false, error: null });
    } catch (error) {
      setState(old => ({ ...old, loading: false, error }));
    }
  };
  useEffect(() => { if (path) load(); }, [key]);
  return { ...state, reload: load, set: (data, etag) => setState({ data, etag, loading: false, error: null }) };
}
