// Keys: sequences such as `g u`, for who works by keyboard alone. They can be turned off (WCAG 2.1.4).
import { signal, useEffect, useRef } from './html.js';

const KEY = 'console-keys';
/** Milliseconds in which the second key of a sequence must follow. */
const PATIENCE = 1500;

/** Whether single letters do anything. */
export const enabled = signal(localStorage.getItem(KEY) !== 'off');
export function enable(on) {
  localStorage.setItem(KEY, on ? 'on' : 'off');
  enabled.set(on);
}

const layers = [];
let pending = null, since = 0;

/** What keys do on this page, by sequence: `[text, does]`. They count until the component goes. */
export function useKeys(map) {
  const layer = useRef({ map });
  // At once, and not when the page is painted: the next key may come before.
  layer.current.map = map;
  useEffect(() => {
    layers.push(layer.current);
    return () => layers.splice(layers.indexOf(layer.current), 1);
  }, []);
}

/** Every key that does something now, with its text. */
export const known = () => new Map(layers.flatMap(layer => Object.entries(layer.map).map(([keys, [text]]) => [keys,
  text])));

const control = target => target.closest?.('a, button, summary, label');
const typing = target =>
  target.closest?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]');

addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !enabled.get()) return;
  if (typing(event.target) || document.querySelector('dialog[open]')) return;
  const { key } = event;
  const sequence = pending && Date.now() - since < PATIENCE ? `${pending} ${key}` : null;
  pending = null;
  const all = [...layers].reverse();
  const find = keys => all.find(layer => layer.map[keys])?.map[keys];
  const found = (sequence && find(sequence)) ?? find(key);
  if (found) {
    // A key on a control does what the control does.
    if ((key === 'Enter' || key === ' ') && control(event.target)) return;
    event.preventDefault();
    found[1](event);
  } else if (all.some(layer => Object.keys(layer.map).some(keys => keys.startsWith(`${key} `)))) {
    pending = key;
    since = Date.now();
  }
});
