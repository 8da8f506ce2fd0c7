// Small parts that every screen is made of.
import { Fragment, html, useEffect, useId, useRef, useState } from '../core/html.js';
import { ago, day, moment, phone } from '../core/format.js';
import { explain } from '../core/api.js';
import { place } from '../core/router.js';

/** A label with a colour and a sign; colour alone says nothing. */
const SIGNS = { good: '●', warn: '▲', bad: '■', calm: '○', busy: '◐' };
export const Chip = ({ tone = 'calm', children }) => html`
  <span class=${`chip ${tone}`}><span aria-hidden="true">${SIGNS[tone]}</span> ${children}</span>`;

/** A moment: relative, with the full one on hover and for screen readers. */
export function Time({ at, plain = false }) {
  if (!at) return html`<span class="none">—</span>`;
  return html`<time datetime=${at} title=${moment(at)}>${plain ? moment(at) : ago(at)}</time>`;
}
export const Day = ({ date }) => (date ? html`<time datetime=${date}>${day(date)}</time>` : html`<span
  class="none">—</span>`);

/** A telephone number, as people of its country write it. */
export const Num = ({ of }) => (of ? html`<span class="num" dir="ltr">${phone(of)}</span>` : html`<span
  class="none">—</span>`);

/** A text that people have written, in any script. */
export const Own = ({ children }) => (children ? html`<bdi>${children}</bdi>` : html`<span class="none">—</span>`);

/** An e-mail address. Where it has no room on a line, its domain stands on the next. */
export function Mail({ of }) {
  const at = of?.lastIndexOf('@') ?? -1;
  return at > 0 ? html`<bdi>${of.slice(0, at)}<wbr />${of.slice(at)}</bdi>` : html`<${Own}>${of}<//>`;
}

/** A button with a word; `kind` is `main`, `danger` or nothing. */
export const Button = ({ kind = '', busy = false, children, ...rest }) => html`
  <button type="button" class=${`button ${kind}`} aria-busy=${busy ? 'true' : undefined} ...${rest}
    onClick=${event => !busy && rest.onClick?.(event)}>${children}</button>`;

/** The heading of a screen, which gets the focus when somebody comes to it. */
export function Heading({ title, children, actions, back }) {
  const heading = useRef(null);
  const path = place.get().parts.join('/');
  useEffect(() => {
    document.title = `${typeof title === 'string' ? title : path} · Rollcall`;
  }, [title]);
  useEffect(() => {
    if (!document.querySelector('dialog[open]')) heading.current?.focus({ preventScroll: true });
  }, [path]);
  return html`<header class="heading">
    ${back && html`<nav aria-label="Above this"><a href=${back[0]}>${back[1]}</a></nav>`}
    <div class="row spread">
      <div class="row"><h1 tabindex="-1" ref=${heading}>${title}</h1>${children}</div>
      <div class="row actions">${actions}</div>
    </div>
  </header>`;
}

/** What is here when nothing else is: why, and the next step. */
export const Empty = ({ title, children, actions }) => html`<div class="empty">
  <h2>${title}</h2><p>${children}</p>${actions && html`<div class="row center">${actions}</div>`}
</div>`;

/** An error, in words, with a way on. */
export function Trouble({ error, again }) {
  const { title, text, code, again: repeat } = explain(error);
  return html`<div class="banner bad" role="alert"><div><strong>${title}</strong>
    ${text && html`<p>${text} ${code && html`<code>${code}</code>`}</p>`}</div>
    ${again && repeat && html`<${Button} onClick=${again}>Try again<//>`}</div>`;
}

export const Banner = ({ tone = 'calm', children, actions }) => html`
  <div class=${`banner ${tone}`}><div>${children}</div><div class="row">${actions}</div></div>`;

export const Loading = ({ what = 'Loading' }) => html`<p class="loading" role="status">${what}…</p>`;

/** A field with its label, its hint and what is wrong with it. */
export function Field({ label, hint, wrong, children, ...input }) {
  const id = useId('field');
  const described = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ') || undefined;
  const common = { id, 'aria-describedby': described, 'aria-invalid': wrong ? 'true' : undefined, dir: 'auto' };
  return html`<div class="field"><label for=${id}>${label}</label>
    ${children ? children(common) : html`<input ...${common} ...${input} />`}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${wrong && html`<p class="wrong" id=${`${id}-wrong`}>${wrong}</p>`}</div>`;
}

/** A choice among few. */
export function Select({ label, value, onChange, options, hint, hidden = false }) {
  const id = useId('select');
  return html`<span class=${hidden ? 'filter' : 'field'}>
    <label for=${id} class=${hidden ? 'unseen' : ''}>${label}</label>
    <select id=${id} value=${value ?? ''} onChange=${event => onChange(event.target.value)}>
      ${options.map(([key, text]) => html`<option value=${key} selected=${key === (value ?? '')}>${text}</option>`)}
    </select>
    ${hint && html`<p class="hint">${hint}</p>`}</span>`;
}

/** A yes or no. */
export function Check({ label, hint, ...input }) {
  const id = useId('check');
  return html`<div class="check"><input type="checkbox" id=${id} ...${input} />
    <div><label for=${id}>${label}</label>${hint && html`<p class="hint">${hint}</p>`}</div></div>`;
}

/** Whether a job shows first what it would do. */
export const PreviewFirst = ({ preview, setPreview, hint }) => html`<${Check} label="Preview first" checked=${preview}
  onChange=${event => setPreview(event.target.checked)} hint=${hint} />`;

/** A field that searches while somebody types, and on Enter at once. */
export function Search({ value, onSearch, label, placeholder }) {
  const [text, setText] = useState(value ?? '');
  const timer = useRef(0);
  useEffect(() => setText(value ?? ''), [value]);
  const say = (next, now) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onSearch(next.trim()), now ? 0 : 250);
  };
  return html`<input class="search" type="search" data-search dir="auto" aria-label=${label} placeholder=${placeholder
    ?? label}
    value=${text} onInput=${event => { setText(event.target.value); say(event.target.value); }}
    onKeyDown=${event => {
      if (event.key === 'Enter') say(event.target.value, true);
      if (event.key === 'Escape') {
        // The text stays, and the rows can be walked.
        event.target.blur();
        event.preventDefault();
      }
    }} />`;
}

/** Names and values of one thing. */
export const Facts = ({ children }) => html`<dl class="facts">${children}</dl>`;
export const Fact = ({ name, children }) => html`<${Fragment}><dt>${name}</dt><dd>${children}</dd><//>`;

/** Counts side by side, some of them links to what they count. */
export const Cards = ({ children }) => html`<ul class="cards">${children}</ul>`;
export const Card = ({ value, name, tone = '', to, current }) => html`<li class=${`card ${tone}`}>
  ${to ? html`<a href=${to} aria-current=${current ? 'true' : undefined}><b>${value}</b> <span>${name}</span></a>`
    : html`<b>${value}</b> <span>${name}</span>`}</li>`;
