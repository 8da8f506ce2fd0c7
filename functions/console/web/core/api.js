// Asks the API, and says in words what went wrong.
import { fresh, renew } from './auth.js';
import { signal } from './html.js';

/** Tries of a request that the API has no room for, or that met a fault on its side. */
const TRIES = 4;
/** Milliseconds before the second try; twice as long before each further one. */
const PAUSE = 400;

/** Whether the last request reached the API. */
export const online = signal(true);

/** What the API refused, or that it can't be reached. */
export class Problem extends Error {
  /** @param {{status: number, code?: string, detail?: string, pointer?: string}} what */
  constructor({ status, code = '', detail = '', pointer = '' }) {
    super(detail || code || String(status));
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.pointer = pointer;
  }
}

/**
 * One request. A path may be an array of parts; what can't stand in a path goes into the query by the name that the
 * route gives it: `['users', { login }]`. What it answers is known by the contract.
 * @template {string} M
 * @template {import('./routes').Path} const P
 * @param {M} method
 * @param {P} path
 * @param {{query?: any, body?: any, etag?: string, accept?: string, signal?: AbortSignal, key?: string}} [options]
 * @returns {Promise<{status: number, data: import('./routes').Answer<M, P>, etag: string | null, answer: Response}>}
 */
export async function ask(method, path, options = {}) {
  const { query = {}, body, etag, accept, signal: stop, key } = options;
  const { url, extra } = address(path);
  const search = new URLSearchParams(clean({ ...query, ...extra }));
  const target = `/v1/${url}${search.size ? `?${search}` : ''}`;
  // The same key at each try: it is carried out once.
  const once = method === 'POST' ? key ?? crypto.randomUUID() : null;
  let renewed = false;
  for (let nth = 1; ; nth += 1) {
    const headers = { authorization: `Bearer ${await fresh()}` };
    if (body !== undefined) headers['content-type'] = method === 'PATCH' ? 'application/merge-patch+json'
      : 'application/json';
    if (etag) headers['if-match'] = etag;
    if (accept) headers.accept = accept;
    if (once) headers['idempotency-key'] = once;
    let answer;
    try {
      answer = await fetch(target, { method, headers, body: body === undefined ? undefined : JSON.stringify(body),
        signal: stop });
    } catch (error) {
      if (stop?.aborted) throw error;
      if (nth < TRIES && navigator.onLine && (method === 'GET' || once)) {
        await wait(PAUSE * 2 ** nth);
        continue;
      }
      online.set(false);
      throw new Problem({ status: 0, code: 'OFFLINE' });
    }
    online.set(true);
    if (answer.status === 401 && !renewed) {
      renewed = true;
      await renew();
      continue;
    }
    const busy = answer.status === 429 || (answer.status >= 500 && (method === 'GET' || once));
    if (busy && nth < TRIES) {
      await wait(Number(answer.headers.get('retry-after')) * 1000 || PAUSE * 2 ** nth);
      continue;
    }
    const type = answer.headers.get('content-type') ?? '';
    const data = type.includes('json') ? await answer.json().catch(() => null) : await answer.text();
    if (answer.ok) return { status: answer.status, data, etag: answer.headers.get('etag'), answer };
    throw new Problem({ status: answer.status, ...(data ?? {}), detail: data?.detail ?? data?.message ?? '' });
  }
}

/** What is there, or null where nothing is. */
export async function find(path, options) {
  try {
    return await ask('GET', path, options);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** The path and query of a route, as a link or a command needs it. */
export function address(path) {
  if (typeof path === 'string') return { url: path, extra: {} };
  const extra = {};
  const parts = path.map(part => {
    if (typeof part === 'string') return part;
    const [[name, value]] = Object.entries(part);
    // What some gateway may read otherwise: the API takes it in the query.
    if (/^[\p{L}\p{N}._~@-]+$/u.test(value) && !['-', '.', '..'].includes(value)) return encodeURIComponent(value);
    extra[name] = value;
    return '-';
  });
  return { url: parts.join('/'), extra };
}

const clean = all => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '' && value != null));

export const wait = time => new Promise(done => setTimeout(done, time));

const WORDS = {
  0: ['The API can’t be reached',
    'You may be offline. Nothing that you typed is lost; try again when the line is back.'],
  401: ['Your session has ended', 'Log in again, and go on here.'],
  403: ['Your token doesn’t allow this', 'Whoever runs the account can give you the scope.'],
  404: ['It isn’t there', 'It may have been deleted, or it never was in this account.'],
  409: ['That isn’t possible now', 'Somebody else may have been faster. Look at what is there now.'],
  412: ['Somebody has changed it meanwhile', 'Look at both versions, and decide.'],
  413: ['That is too much at once', 'Send less at a time, or drop a file.'],
  422: ['Something isn’t right in what was sent', ''],
  429: ['Too many requests at once', 'The API has asked for patience. Try again in a moment.'],
  500: ['Something went wrong on our side', 'It was logged. Try again; if it stays so, tell whoever runs the stack.'],
  503: ['The API has no room just now', 'Nothing was changed. Try again in a moment.'],
};

/**
 * What to tell a person about an error.
 * @returns {{title: string, text: string, code: string, again: boolean}}
 */
export function explain(error) {
  if (!(error instanceof Problem)) return { title: 'The console has met a fault', text: String(error?.message ?? error),
    code: '', again: true };
  const { status, code, detail } = error;
  const [title, hint] = WORDS[status] ?? (status >= 500 ? WORDS[500] : ['The API refuses this', '']);
  return { title, text: detail || hint, code: code === 'OFFLINE' ? '' : code, again: status === 0 || status === 429
    || status >= 500 };
}
