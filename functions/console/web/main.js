// Logs in, then shows the console.
import { html, render } from './core/html.js';
import { LoginError, leave, start } from './core/auth.js';
import { App } from './app.js';

const root = document.getElementById('app');
const theme = localStorage.getItem('console-theme');
if (theme) document.documentElement.dataset.theme = theme;

/** What is shown when nobody could log in. */
const Locked = ({ title, children }) => html`<main class="locked"><h1>${title}</h1><p>${children}</p>
  <p><button type="button" class="button main" onClick=${() => leave().catch(() => location.reload())}>Log
    in</button></p></main>`;

try {
  if (await start()) {
    root.replaceChildren();
    render(html`<${App} />`, root);
  }
} catch (error) {
  root.replaceChildren();
  render(error instanceof LoginError
    ? html`<${Locked} title="You are not logged in">The login says: ${error.message}<//>`
    : html`<${Locked} title="The login can’t be reached">You may be offline, or the issuer of tokens doesn’t
      answer.<//>`, root);
}
