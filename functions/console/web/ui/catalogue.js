// Roles, departments and teams, and what people are called, fetched once.
import { ask } from '../core/api.js';
import { can } from '../core/auth.js';
import { useEffect, useState } from '../core/html.js';

const fetched = new Map();

/** Forgets them, after one has changed. */
export const forgetCatalogue = () => fetched.clear();

/** What is fetched once, and `none` before it is there. */
function useOnce(key, fetch, none, wanted) {
  const [found, setFound] = useState(none);
  useEffect(() => {
    let here = true;
    if (wanted) {
      if (!fetched.has(key)) fetched.set(key, fetch().catch(() => none));
      fetched.get(key).then(one => here && setFound(one));
    }
    return () => { here = false; };
  }, [key, wanted]);
  return found;
}

/** The entries of `roles`, `departments` or `teams`. */
export const useCatalogue = (kind, wanted = true) =>
  useOnce(kind, async () => (await ask('GET', kind)).data.items, [], wanted);

/** What people are called whom tokens name by an ID. */
export const useNames = () =>
  useOnce('names', async () => (await ask('GET', 'settings')).data.names, {}, can('settings.read'));

/** The name of an entry, or its ID where it has none. */
export const nameOf = (items, id) => items.find(one => one.id === id)?.name ?? id ?? '';
