// Dialogs: the browser's own, so that focus stays inside and returns to where it was.
import { html, render, useEffect, useId, useRef, useState } from '../core/html.js';
import { explain } from '../core/api.js';
import { Button } from './parts.js';

/**
 * A dialog with a form. `submit` may be async; what it throws is shown, and everything typed stays.
 * `Enter` in a field submits; a dialog with typed text asks before it is closed.
 */
export function Dialog({ title, children, submit, word = 'Save', kind = 'main', close, foot, wide = false, ready = true
  }) {
  const dialog = useRef(null), typed = useRef(false);
  const [error, setError] = useState(null), [busy, setBusy] = useState(false);
  const id = useId('dialog');
  useEffect(() => {
    const before = /** @type {any} */ (document.activeElement);
    dialog.current.showModal();
    return () => before?.isConnected && before.focus();
  }, []);
  const leave = () => {
    if (!typed.current || confirm('Close this, and lose what you have typed?')) close();
  };
  const send = async event => {
    event.preventDefault();
    if (busy || !submit) return;
    setBusy(true);
    setError(null);
    try {
      if (await submit(event) !== false) { typed.current = false; close(); }
    } catch (problem) {
      setError(explain(problem));
    } finally {
      setBusy(false);
    }
  };
  return html`<dialog ref=${dialog} aria-labelledby=${id} class=${wide ? 'wide' : ''}
    onCancel=${event => { event.preventDefault(); leave(); }} onInput=${() => { typed.current = true; }}>
    <form onSubmit=${send} novalidate>
      <header class="row spread"><h2 id=${id}>${title}</h2>
        <${Button} kind="plain" aria-label="Close" onClick=${leave}>×<//></header>
      <div class="body">${children}
        ${error && html`<div class="banner bad" role="alert"><div><strong>${error.title}</strong>
          <p>${error.text} ${error.code && html`<code>${error.code}</code>`}</p></div></div>`}</div>
      <footer>${foot}<div class="row end">
        <${Button} onClick=${leave}>${submit ? 'Cancel' : 'Close'}<//>
        ${submit && html`<button class=${`button ${kind}`} disabled=${!ready} aria-busy=${busy ? 'true' : undefined}>
          ${busy ? 'One moment…' : word}</button>`}
      </div></footer>
    </form></dialog>`;
}

/** Opens a dialog that is no part of a screen: `open(close => html\`…\`)`. */
export function open(content) {
  const root = document.createElement('div');
  document.body.append(root);
  const close = () => {
    render(null, root);
    root.remove();
  };
  render(content(close), root);
  return close;
}

/** Asks before something that can't be taken back. Where `type` is given, that word must be typed. */
export function Confirm({ title, children, word, type, act, close, foot }) {
  const [text, setText] = useState('');
  const id = useId('type');
  return html`<${Dialog} title=${title} word=${word} kind="danger" close=${close} submit=${act} foot=${foot}
    ready=${!type || text.trim().toLowerCase() === type.toLowerCase()}>
    ${children}
    ${type && html`<div class="field"><label for=${id}>Type <b><bdi>${type}</bdi></b> to go on</label>
      <input id=${id} autocomplete="off" dir="auto" value=${text} onInput=${event =>
        setText(event.target.value)} /></div>`}
  <//>`;
}
