// Logging in: authorization code with PKCE (RFC 6749, 7636, 9207). Tokens are in this module's memory and nowhere else.
import { signal } from './html.js';

const PAGE = '/console';
/** A token is renewed when it has less than this left, in milliseconds. */
const MARGIN = 30_000;
const CHANNEL = 'console-session';

let config, endpoints, token, renewal, claims = {}, expires = 0, renewing = null, waiting = null, restored = null;

/** Whether the session has ended while the page was open. */
export const ended = signal(false);

/** Why there is no session, in the issuer's words. */
export class LoginError extends Error {}

/**
 * Logs in, unless the issuer has just sent the browser back. When it resolves to false, the browser is leaving.
 * @returns {Promise<boolean>}
 */
export async function start() {
  config = await json(`${PAGE}/config.json`);
  endpoints = await discover();
  const query = new URLSearchParams(location.search);
  const begun = JSON.parse(sessionStorage.getItem('login') ?? 'null');
  if (query.has('error')) {
    history.replaceState(null, '', PAGE + (begun?.hash ?? ''));
    sessionStorage.removeItem('login');
    throw new LoginError(query.get('error_description') ?? query.get('error'));
  }
  if (!query.has('code')) return leave();
  sessionStorage.removeItem('login');
  history.replaceState(null, '', PAGE + (begun?.hash ?? ''));
  if (!begun || begun.state !== query.get('state')) return leave(begun?.hash);
  const issuer = config.issuer || location.origin;
  if (query.has('iss') && query.get('iss') !== issuer) throw new LoginError('Another issuer has answered.');
  take(await post({
    grant_type: 'authorization_code', code: query.get('code'), code_verifier: begun.verifier, redirect_uri: home(),
  }));
  handOver();
  return true;
}

/** Sends the browser to the issuer, to come back to the same place. */
export async function leave(hash = location.hash) {
  const verifier = random(48), state = random(16);
  sessionStorage.setItem('login', JSON.stringify({ verifier, state, hash }));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    response_type: 'code', client_id: config.client_id, redirect_uri: home(), state,
    scope: ['openid', 'email', ...config.scopes].join(' '),
    code_challenge: base64(new Uint8Array(digest)), code_challenge_method: 'S256',
  });
  location.assign(`${endpoints.authorize}?${query}`);
  return false;
}

/** A token that is good for now; waits where somebody must log in first. */
export async function fresh() {
  if (ended.get()) await waiting;
  if (expires - Date.now() > MARGIN) return token;
  return renew();
}

/** A new token, in place of one that was refused. Two that ask at once get the same one. */
export function renew() {
  renewing ??= (async () => {
    try {
      if (!renewal) throw new LoginError('no renewal');
      take(await post({ grant_type: 'refresh_token', refresh_token: renewal }));
    } catch (error) {
      // A line that is down is no session that has ended.
      if (!(error instanceof LoginError)) throw error;
      waiting ??= new Promise(done => { restored = done; });
      ended.set(true);
      await waiting;
    } finally {
      renewing = null;
    }
    return token;
  })();
  return renewing;
}

/** Opens a window to log in again, while this one keeps what was typed. */
export function again() {
  const name = random(16);
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    if (data.name !== name) return;
    channel.close();
    if (data.claims.sub !== claims.sub || account(data.claims) !== account(claims)) return location.reload();
    ({ token, renewal, claims, expires } = data);
    restored?.();
    waiting = restored = null;
    ended.set(false);
  };
  open(`${PAGE}#/again/${name}`, '_blank', 'noopener');
}

/** In the window that was opened for it: gives the session to the one that waits. */
function handOver() {
  const name = location.hash.match(/^#\/again\/([\w-]+)$/)?.[1];
  if (!name) return;
  new BroadcastChannel(CHANNEL).postMessage({ name, token, renewal, claims, expires });
}

/** Forgets the session here and at the issuer. */
export async function logout() {
  const old = renewal;
  token = renewal = null;
  expires = 0;
  if (endpoints.revoke && old) {
    await fetch(endpoints.revoke, { method: 'POST', body: new URLSearchParams({ token: old, client_id: config.client_id
      }) })
      .catch(() => null);
  }
  if (!endpoints.logout) return location.assign(PAGE);
  const query = new URLSearchParams({ client_id: config.client_id });
  // The first is OpenID's word, the second Cognito's. A stack on one machine says by itself how to come back.
  if (config.issuer) query.append(config.login_url ? 'logout_uri' : 'post_logout_redirect_uri', home());
  location.assign(`${endpoints.logout}?${query}`);
}

/** Whether the token allows it, such as `users.write`. */
export const can = scope => scopes().has(`rollcall/${scope}`);

/** Who has the session, for display alone. */
export const who = () => ({ account: account(claims), name: claims.email ?? claims.username ?? claims.sub ?? '',
  sub: claims.sub });

const account = all => all['custom:account'] ?? '';

function scopes() {
  const all = claims.scp ?? claims.scope ?? [];
  return new Set(Array.isArray(all) ? all : all.split(' '));
}

const home = () => location.origin + PAGE;

async function discover() {
  const below = config.login_url;
  if (below) {
    return {
      authorize: `${below}/oauth2/authorize`, token: `${below}/oauth2/token`,
      revoke: `${below}/oauth2/revoke`, logout: `${below}/logout`,
    };
  }
  const found = await json(`${config.issuer || location.origin}/.well-known/openid-configuration`);
  return {
    authorize: found.authorization_endpoint, token: found.token_endpoint,
    revoke: found.revocation_endpoint, logout: found.end_session_endpoint,
  };
}

function take(given) {
  token = given.access_token;
  renewal = given.refresh_token ?? renewal;
  expires = Date.now() + (given.expires_in ?? 300) * 1000;
  claims = JSON.parse(text(token.split('.')[1]));
}

async function post(fields) {
  const body = new URLSearchParams({ client_id: config.client_id, ...fields });
  const answer = await fetch(endpoints.token, { method: 'POST', body });
  const given = await answer.json().catch(() => ({}));
  if (answer.ok) return given;
  if (answer.status >= 500) throw new TypeError('The issuer has trouble.');
  throw new LoginError(given.error_description ?? given.error ?? `The issuer answers with ${answer.status}.`);
}

async function json(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new LoginError(`${url} answers with ${answer.status}.`);
  return answer.json();
}

const base64 = bytes => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const random = size => base64(crypto.getRandomValues(new Uint8Array(size)));

function text(part) {
  const bytes = Uint8Array.from(atob(part.replace(/-/g, '+').replace(/_/g, '/')), char => char.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}
