// The same as a command: what a dialog does, for a terminal and for a program.
import { html, useState } from '../core/html.js';
import { address } from '../core/api.js';
import { Button } from './parts.js';

const quoted = word => (/^[\w./@:+,=-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`);

/** A line of `rollcall`, of words. */
export const line = words => ['rollcall', ...words].map(quoted).join(' ');

/**
 * A line of curl for one request.
 * @param {string} method
 * @param {string | any[]} path
 * @param {{query?: any, body?: any}} [options]
 */
export function curl(method, path, options = {}) {
  const { query = {}, body } = options;
  const { url, extra } = address(path);
  const search = new URLSearchParams({ ...query, ...extra }).toString();
  const target = `${location.origin}/v1/${url}${search ? `?${search}` : ''}`;
  const parts = ['curl', ...(method === 'GET' ? [] : ['-X', method]), '-H', '"Authorization: Bearer $TOKEN"',
    quoted(target)];
  if (body !== undefined) parts.push('-d', `'${JSON.stringify(body).replace(/'/g, "'\\''")}'`);
  return parts.join(' ');
}

/** Shows lines to copy. */
export function Commands({ lines }) {
  const [copied, setCopied] = useState('');
  const shown = lines.filter(Boolean);
  const copy = async text => {
    await navigator.clipboard.writeText(text).catch(() => null);
    setCopied(text);
  };
  return html`<details class="commands"><summary>The same as a command</summary>
    ${shown.map(text => html`<div class="row"><pre tabindex="0"><code>${text}</code></pre>
      <${Button} onClick=${() => copy(text)}>${copied === text ? 'Copied' : 'Copy'}<//></div>`)}</details>`;
}
