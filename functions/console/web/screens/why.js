// Why can't X see Y: the chain of reasons, and what mends the broken link. Its address can be sent to somebody.
import { html, useEffect, useState } from '../core/html.js';
import { ask } from '../core/api.js';
import { href, setQuery } from '../core/router.js';
import { Commands, curl, line } from '../ui/command.js';
import { notify } from '../ui/notices.js';
import { Button, Chip, Loading, Num, Trouble } from '../ui/parts.js';

const LINKS = { mapping: 'Mapping', resync: 'Resync', policy: 'Policy', inventory: 'Inventory', state: 'State' };

export function Why({ who, number }) {
  const [draft, setDraft] = useState({ who: who ?? '', number: number ?? '' });
  const [state, setState] = useState({});
  useEffect(() => setDraft({ who: who ?? '', number: number ?? '' }), [who, number]);
  const path = ['mappings', { crm_user: who }, 'caller-ids', { number }, 'explanation'];
  const seen = ['mappings', { crm_user: who }, 'caller-ids'];
  const load = async () => {
    if (!who) return setState({});
    setState({ loading: true });
    try {
      const { data } = await ask('GET', number ? path : seen);
      setState(number ? { explained: data } : { sees: data });
    } catch (error) {
      setState({ error });
    }
  };
  useEffect(() => { load(); }, [who, number]);
  const submit = event => {
    event.preventDefault();
    setQuery({ why: draft.who.trim(), number: draft.number.trim() });
  };
  const copy = async () => {
    await navigator.clipboard.writeText(location.href).catch(() => null);
    notify('The address is copied: who opens it sees this answer as it is then.');
  };
  const { explained, sees, error, loading } = state;
  return html`<section class="panel" aria-labelledby="why"><h2 id="why">Why can’t somebody see a number?</h2>
    <form class="row why" onSubmit=${submit}>
      <label for="why-who">Why can’t</label><input id="why-who" dir="auto" placeholder="CRM user" value=${draft.who}
        onInput=${event => setDraft({ ...draft, who: event.target.value })} />
      <label for="why-number">see</label><input id="why-number" dir="ltr" placeholder="Number, in any spelling"
        value=${draft.number} onInput=${event => setDraft({ ...draft, number: event.target.value })} />
      <button class="button" disabled=${!draft.who.trim()}>Explain</button>
      ${who && html`<a href=${href(['mappings'])}>Clear</a>`}
    </form>
    <div role="status" class="section">
    ${loading && html`<${Loading} what="Looking" />`}
    ${error && (error.status === 404 ? html`<p>${number ? 'That is no number, as the account’s country writes them.'
      : html`There is no mapping of <b><bdi>${who}</bdi></b>: nothing is seen. Map the CRM user.`}</p>`
    : html`<${Trouble} error=${error} again=${load} />`)}
    ${explained && html`<p><strong>${explained.visible ? 'It is seen.'
      : 'It isn’t seen.'}</strong> <bdi>${who}</bdi>, <${Num} of=${explained.number} /></p>
      <ol class="chain">${explained.chain.map(({ link, holds, detail }) => html`<li key=${link}><${Chip} tone=${holds
        ? 'good' : 'bad'}>${LINKS[link] ?? link}: ${holds ? 'holds' : 'broken'}<//> ${detail}</li>`)}</ol>
      ${explained.mend && html`<p><strong>What mends it:</strong> ${explained.mend}</p>`}
      <div class="row"><${Button} onClick=${copy}>Copy the address of this answer<//></div>
      <${Commands} lines=${[line(['why', who, number]), curl('GET', path)]} />`}
    ${sees && html`<p><bdi>${who}</bdi> sees ${sees.caller_ids.length ? '' : 'no number. Type one to learn why.'}</p>
      ${sees.caller_ids.length > 0 && html`<ul class="numbers">${sees.caller_ids.slice(0, 500).map(one => html`<li
        key=${one}>
        <a href=${href(['mappings'], { why: who, number: one })}><${Num} of=${one} /></a></li>`)}</ul>`}`}
    </div></section>`;
}
