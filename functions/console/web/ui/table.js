// A table that can be walked and chosen from by keyboard, and reads as cards on a narrow screen.
import { html, useEffect, useRef, useState } from '../core/html.js';
import { count } from '../core/format.js';
import { useKeys } from '../core/keys.js';
import { announce } from './notices.js';
import { Button, Loading } from './parts.js';

/**
 * `columns` are `{ name, cell(row), end?, sort?, kind? }`, of the kind `narrow`, `wide` or `widest`; the first one
 * names the row. `chosen` is a Map from key to row.
 * Without `choose` nothing can be chosen.
 */
export function Table({ label, columns, rows, keyOf, open, chosen, choose, onAll, more, loading, sorted, onSort,
  keys = {} }) {
  const [at, setAt] = useState(0);
  const body = useRef(null), last = useRef(null);
  const focus = to => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setAt(next);
    body.current?.rows?.[next]?.focus();
    body.current?.rows?.[next]?.scrollIntoView({ block: 'nearest' });
  };
  const toggle = (index, range) => {
    if (!choose || !rows[index]) return;
    const next = new Map(chosen), on = !chosen.has(keyOf(rows[index]));
    const from = range && last.current !== null ? last.current : index;
    for (let nth = Math.min(from, index); nth <= Math.max(from, index); nth += 1) {
      if (on) next.set(keyOf(rows[nth]), rows[nth]); else next.delete(keyOf(rows[nth]));
    }
    last.current = index;
    choose(next);
    announce(`${count(next.size)} chosen`);
  };
  const here = () => {
    const index = [...(body.current?.rows ?? [])].indexOf(document.activeElement?.closest('tr'));
    return index < 0 ? at : index;
  };
  const inside = () => body.current?.contains(document.activeElement);
  const step = by => focus(inside() ? here() + by : at);
  useKeys({
    j: ['Next row', () => step(1)], k: ['Row before', () => step(-1)],
    ArrowDown: ['Next row', () => step(1)], ArrowUp: ['Row before', () => step(-1)],
    ...(open && { Enter: ['Open the row', () => inside() && open(rows[here()])] }),
    ...(choose && {
      x: ['Choose the row', () => toggle(here())], X: ['Choose up to the row', () => toggle(here(), true)],
      ' ': ['Choose the row', event => toggle(here(), event.shiftKey)], a: ['Choose all', () => onAll?.()],
    }),
    ...Object.fromEntries(Object.entries(keys).map(([key, [text, does]]) => [key, [text, () => does(rows[here()])]])),
  });
  useEffect(() => { if (at >= rows.length) setAt(0); }, [rows.length]);
  const all = choose && rows.length > 0 && rows.every(row => chosen.has(keyOf(row)));
  const head = ({ name, sort, end, kind = '' }) => {
    const direction = sorted === sort ? 'ascending' : sorted === `-${sort}` ? 'descending' : 'none';
    return html`<th scope="col" role="columnheader" class=${`${end ? 'end' : ''} ${kind}`}
      aria-sort=${sort ? direction : undefined}>
      ${sort ? html`<button type="button" class="sort" onClick=${() => onSort(direction === 'ascending' ? `-${sort}`
        : sort)}>
        ${name} <span aria-hidden="true">${{ ascending: '▲', descending: '▼', none: '↕' }[direction]}</span></button>`
          : name}</th>`;
  };
  return html`<div class="table"><table role="table" aria-label=${label} aria-busy=${loading ? 'true' : undefined}>
    <thead role="rowgroup"><tr role="row">
      ${choose && html`<th scope="col" role="columnheader" class="tick"><input type="checkbox"
        aria-label="Choose all that are shown"
        checked=${all} onChange=${() => choose(all ? new Map() : new Map(rows.map(row => [keyOf(row), row])))} /></th>`}
      ${columns.map(head)}</tr></thead>
    <tbody ref=${body} role="rowgroup">${rows.map((row, index) => html`<tr key=${keyOf(row)} role="row"
      tabindex=${index === at ? 0 : -1}
      aria-selected=${choose ? String(chosen.has(keyOf(row))) : undefined} onFocus=${() => setAt(index)}>
      ${choose && html`<td role="cell" class="tick"><input type="checkbox" tabindex="-1"
        aria-label=${`Choose ${keyOf(row)}`}
        checked=${chosen.has(keyOf(row))} onClick=${event => toggle(index, event.shiftKey)} /></td>`}
      ${columns.map((column, nth) => (nth === 0
    ? html`<th scope="row" role="rowheader">${column.cell(row)}</th>`
    : html`<td role="cell" data-label=${column.name}
      class=${column.end ? 'end' : ''}><div>${column.cell(row)}</div></td>`))}
    </tr>`)}</tbody></table>
    ${loading && html`<${Loading} what=${typeof loading === 'string' ? loading : 'Loading'} />`}
    ${more && !loading && html`<p class="row center"><${Button} onClick=${more}>Show more<//></p>`}</div>`;
}
