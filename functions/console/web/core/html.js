// The one place that knows the vendored libraries.
import { Fragment, h, render } from '../vendor/preact.js';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from '../vendor/hooks.js';
import htm from '../vendor/htm.js';

/** Makes elements of a template. */
export const html = htm.bind(h);
export { Fragment, render, useEffect, useLayoutEffect, useMemo, useRef, useState };

/**
 * A value that components follow.
 * @template T
 * @param {T} value
 */
export function signal(value) {
  const followers = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const follower of [...followers]) follower(value);
    },
    follow(follower) {
      followers.add(follower);
      return () => followers.delete(follower);
    },
  };
}

/** The value of a signal, followed. */
export function useSignal(source) {
  const [value, set] = useState(source.get());
  useEffect(() => {
    set(source.get());
    return source.follow(next => set(next));
  }, [source]);
  return value;
}

let ids = 0;
/** An ID that no other element has. */
export function useId(prefix = 'id') {
  return useMemo(() => `${prefix}-${++ids}`, []);
}
