// Where somebody is: everything in the address, so that a link shows the same and Back restores it.
import { signal } from './html.js';

/** The place: parts of the path, and the query as an object. */
export const place = signal(read());

function read() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter(Boolean).map(part => decodeURIComponent(part));
  return { parts: parts.length ? parts : ['users'], query: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a place, such as `href(['users', login], { tab: 'list' })`. */
export function href(parts, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== '' && value != null);
  const search = new URLSearchParams(kept).toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${search ? `?${search}` : ''}`;
}

let guard = null;
/** Asks before a place with unsaved text is left. `text` is null when nothing would be lost. */
export function guardLeaving(text) {
  guard = text;
}
addEventListener('beforeunload', event => {
  if (guard) event.preventDefault();
});

/** Goes somewhere. */
export function go(parts, query) {
  location.hash = href(parts, query).slice(1);
}

/** Changes the query of this place. Typing replaces the entry of the history, a choice adds one. */
export function setQuery(changes, { typed = false } = {}) {
  const { parts, query } = place.get();
  const next = href(parts, { ...query, ...changes });
  if (next === location.hash) return;
  if (typed) {
    history.replaceState(null, '', next);
    place.set(read());
  } else {
    location.hash = next.slice(1);
  }
}

let current = location.hash;
addEventListener('hashchange', () => {
  if (location.hash === current) return;
  if (guard && !confirm(guard)) return history.replaceState(null, '', current || '#/users');
  guard = null;
  current = location.hash;
  place.set(read());
});
/** After a replaced entry: where Back is measured from. */
place.follow(() => { current = location.hash; });
