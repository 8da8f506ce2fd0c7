// A button with a list of things to do.
import { html, useEffect, useId, useRef, useState } from '../core/html.js';

/** `items` are `[text, does]`, or `[text, href]` for a link; what is null is left out. */
export function Menu({ word, items, label, kind = '', bare = false }) {
  const [open, setOpen] = useState(false);
  const root = useRef(null);
  const id = useId('menu');
  const all = items.filter(Boolean);
  const entries = () => [...root.current.querySelectorAll('[role=menuitem]')];
  useEffect(() => {
    if (!open) return undefined;
    entries()[0]?.focus();
    const away = event => { if (!root.current?.contains(event.target)) setOpen(false); };
    document.addEventListener('pointerdown', away);
    return () => document.removeEventListener('pointerdown', away);
  }, [open]);
  const shut = () => {
    setOpen(false);
    root.current.querySelector('button').focus();
  };
  const keys = event => {
    const list = entries(), at = list.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
    if (event.key === 'ArrowDown' && !open) { setOpen(true); event.preventDefault(); event.stopPropagation(); }
    if (!open) return;
    if (to !== undefined) list[(to + list.length) % list.length]?.focus();
    else if (event.key === 'Escape') shut();
    else if (event.key === 'Tab') return setOpen(false);
    else {
      const letter = event.key.length === 1 && list.find(one =>
        one.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()));
      if (!letter) return;
      letter.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const item = ([text, does]) => (typeof does === 'string'
    ? html`<a role="menuitem" tabindex="-1" href=${does} onClick=${() => setOpen(false)}>${text}</a>`
    : html`<button type="button" role="menuitem" tabindex="-1" onClick=${() => { shut(); does(); }}>${text}</button>`);
  if (!all.length) return null;
  return html`<span class="menu" ref=${root} onKeyDown=${keys}>
    <button type="button" class=${`button ${kind}`} aria-haspopup="menu" aria-expanded=${String(open)}
      aria-label=${label}
      aria-controls=${open ? id : undefined} onClick=${() => setOpen(!open)}>${word}${!bare && html` <span
        aria-hidden="true">▾</span>`}</button>
    ${open && html`<div role="menu" id=${id} aria-label=${label ?? word}>${all.map(item)}</div>`}
  </span>`;
}
