// Roles, departments and teams, fetched once.
import { ask } from '../core/api.js';
import { useEffect, useState } from '../core/html.js';

const fetched = new Map();

/** Forgets them, after one has changed. */
export const forgetCatalogue = () => fetched.clear();

/** The entries of `roles`, `departments` or `teams`. */
export function useCatalogue(kind, wanted = true) {
  const [items, setItems] = useState([]);
  useEffect(() => {
    let here = true;
    if (wanted) {
      if (!fetched.has(kind)) fetched.set(kind, ask('GET', kind).then(({ data }) => data.items, () => []));
      fetched.get(kind).then(found => here && setItems(found));
    }
    return () => { here = false; };
  }, [kind, wanted]);
  return items;
}

/** The name of an entry, or its ID where it has none. */
export const nameOf = (items, id) => items.find(one => one.id === id)?.name ?? id ?? '';
