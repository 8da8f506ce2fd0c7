// What has just happened, said to eyes and to screen readers.
import { html, signal, useSignal } from '../core/html.js';
import { Button } from './parts.js';

/** Milliseconds for which a notice stays, unless somebody points at it or it offers something. */
const STAY = 8000;
const notices = signal([]);
const said = signal('');
let ids = 0;

/** Says something without showing it: how many there are, what was chosen. */
export const announce = text => said.set(text);

/**
 * Shows a notice.
 * @param {string} text
 * @param {{tone?: string, offer?: [string, () => any]}} [options]
 */
export function notify(text, options = {}) {
  const { tone = 'good', offer } = options;
  const id = ++ids;
  notices.set([...notices.get().slice(-2), { id, text, tone, offer }]);
  if (!offer && tone !== 'bad') setTimeout(() => close(id), STAY);
}
const close = id => notices.set(notices.get().filter(notice => notice.id !== id));

export function Notices() {
  const all = useSignal(notices);
  const words = useSignal(said);
  return html`<div class="notices">
    <div class="unseen" role="status">${words}</div>
    <div role="log" aria-label="What has happened" aria-live="polite">
    ${all.map(({ id, text, tone, offer }) => html`<div class=${`notice ${tone}`} key=${id}>
      <span>${text}</span>
      ${offer && html`<${Button} onClick=${() => { close(id); offer[1](); }}>${offer[0]}<//>`}
      <${Button} kind="plain" aria-label="Close this notice" onClick=${() => close(id)}>×<//>
    </div>`)}</div></div>`;
}
