// The shell: where things are, who works with them, and what the keys do.
import { html, useEffect, useSignal, useState } from './core/html.js';
import { again, can, ended, logout, who } from './core/auth.js';
import { online } from './core/api.js';
import { go, href, place } from './core/router.js';
import { enable, enabled, known, useKeys } from './core/keys.js';
import { Banner, Button, Check, Empty, Heading, Loading } from './ui/parts.js';
import { Dialog, open } from './ui/dialog.js';
import { Menu } from './ui/menu.js';
import { Notices } from './ui/notices.js';
import { DropZone } from './ui/drop.js';

/** Screens by the first part of their address: file, name, key, and the scope without which one isn't shown. */
const SCREENS = {
  users: ['users', 'All users', 'u', 'users.read'],
  extensions: ['extensions', 'Extension status', 'e', 'users.read'],
  numbers: ['numbers', 'Numbers', 'n', 'numbers.read'],
  rotation: ['rotation', 'Rotation', 'r', 'numbers.write'],
  jobs: ['jobs', 'Jobs', 'j', 'jobs.read'],
  mappings: ['mappings', 'User mapping', 'm', 'mappings.read'],
  directory: ['directory', 'Azure AD users', 'd', 'directory.read'],
  audit: ['audit', 'Audit trail', 'a', 'audit.read'],
  settings: ['settings', 'Settings', 's', 'users.read'],
};
/** Screens of one thing, which come with a second part. */
const ONE = { users: 'user', numbers: 'number', jobs: 'job' };
const THEMES = { '': 'As the system', light: 'Light', dark: 'Dark' };

function useScreen(name) {
  const [loaded, setLoaded] = useState({});
  useEffect(() => {
    let here = true;
    if (name) {
      import(`./screens/${name}.js`)
        .then(module => here && setLoaded({ name, Screen: module.default }))
        .catch(error => here && setLoaded({ name, error }));
    }
    return () => { here = false; };
  }, [name]);
  return loaded.name === name ? loaded : {};
}

function Keys({ close }) {
  const on = useSignal(enabled);
  const all = [...known()].filter(([key]) => key !== 'ArrowDown' && key !== 'ArrowUp');
  return html`<${Dialog} title="Keys" close=${close}>
    <${Check} label="Keys of one letter do something" checked=${on} onChange=${event => enable(event.target.checked)}
      hint="Turn them off if you speak to your computer or press keys by chance. Tab, Enter, arrows go on." />
    <dl class="facts keys">${all.map(([key, text]) => html`<dt key=${key}>${key.split(' ').map(one =>
      html`<kbd>${one === '' ? 'Space' : one}</kbd> `)}</dt>
      <dd>${text}</dd>`)}</dl><//>`;
}
const help = () => open(close => html`<${Keys} close=${close} />`);

function theme(name) {
  if (name) {
    document.documentElement.dataset.theme = name;
    localStorage.setItem('console-theme', name);
  } else {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem('console-theme');
  }
}

export function App() {
  const { parts, query } = useSignal(place);
  const isEnded = useSignal(ended), isOnline = useSignal(online);
  const [nav, setNav] = useState(false);
  const shown = Object.entries(SCREENS).filter(([, [, , , scope]]) => can(scope));
  const [first, second] = parts;
  const allowed = SCREENS[first] && can(SCREENS[first][3]);
  const file = second && ONE[first] ? ONE[first] : SCREENS[first]?.[0];
  const { Screen, error } = useScreen(allowed ? file : null);
  const { account, name } = who();
  useEffect(() => {
    setNav(false);
    scrollTo(0, 0);
  }, [parts.join('/')]);
  useKeys({
    ...Object.fromEntries(shown.map(([path, [, text, key]]) => [`g ${key}`, [text, () => go([path])]])),
    '/': ['Search', () => /** @type {any} */ (document.querySelector('[data-search]'))?.focus()],
    '?': ['Keys', help],
  });
  useEffect(() => {
    // The first place that the token allows, for who may not see the usual one.
    if (!allowed && parts.length === 1 && first === 'users' && shown.length) go([shown[0][0]]);
  }, []);
  if (first === 'again') {
    return html`<main class="locked"><h1>You are logged in again</h1><p>Go on in the other window; you can close this
      one.</p></main>`;
  }
  return html`
    <a class="skip" href="#content" onClick=${event => { event.preventDefault();
      document.getElementById('content').focus(); }}>
      Skip to the content</a>
    <header class="top">
      <button type="button" class="button plain burger" aria-expanded=${String(nav)} aria-controls="nav" onClick=${() =>
        setNav(!nav)}>
        <span aria-hidden="true">☰</span><span class="unseen">Screens</span></button>
      <a class="brand" href=${href(['users'])}>Rollcall</a>
      <span class="account" title="The account that you work in"><bdi>${account}</bdi></span>
      <span class="grow"></span>
      <${Menu} kind="plain" word=${html`<bdi class="me">${name}</bdi>`} label=${`${name}: appearance, keys, log out`}
        items=${[
        ...Object.entries(THEMES).map(([key, text]) => [`Appearance: ${text.toLowerCase()}`, () => theme(key)]),
        ['Keys', help], ['Log out', logout]]} />
    </header>
    <nav id="nav" class=${`side ${nav ? 'shown' : ''}`} aria-label="Screens">
      <ul>${shown.map(([path, [, text, key]]) => html`<li key=${path}><a href=${href([path])}
        aria-current=${path === first ? 'page' : undefined}>
        ${text} <kbd aria-hidden="true">g ${key}</kbd></a></li>`)}</ul>
    </nav>
    <main id="content" tabindex="-1">
      ${isEnded && html`<${Banner} tone="warn" actions=${html`<${Button} kind="main" onClick=${again}>Log in
        again<//>`}>
        <span role="alert"><strong>Your session has ended.</strong> Log in again in a new window: nothing that you typed
          here is lost,
        and what waits goes on by itself.</span><//>`}
      ${!isOnline && html`<${Banner} tone="warn"><span role="status"><strong>The API can’t be reached.</strong> What is
        shown may be old.</span><//>`}
      ${Screen ? html`<${Screen} parts=${parts} query=${query} key=${parts.join('/')} />` : error
    ? html`<${Banner} tone="bad" actions=${html`<${Button} onClick=${() => location.reload()}>Load it again<//>`}>
        <strong>This screen can’t be loaded.</strong> There may be a new version of the console, or the line is
          down.<//>`
    : allowed ? html`<${Loading} />` : html`<${Heading} title=${SCREENS[first] ? SCREENS[first][1]
      : 'Nothing is here'} />
        <${Empty} title=${SCREENS[first] ? 'Your token doesn’t allow this' : 'There is no such screen'}>
        ${SCREENS[first] ? html`It needs the scope <code>rollcall/${SCREENS[first][3]}</code>.`
          : 'Choose one at the side.'}<//>`}
    </main>
    <${DropZone} />
    <${Notices} />`;
}
