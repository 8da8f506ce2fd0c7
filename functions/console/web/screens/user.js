// One user: profile, what the user may dial from, and the last changes.
import { html, useEffect, useState } from '../core/html.js';
import { ask, explain } from '../core/api.js';
import { can, who } from '../core/auth.js';
import { counted } from '../core/format.js';
import { forget, useThing } from '../core/list.js';
import { go, href } from '../core/router.js';
import { useKeys } from '../core/keys.js';
import { Commands, curl } from '../ui/command.js';
import { Dialog, open } from '../ui/dialog.js';
import { notify } from '../ui/notices.js';
import { nameOf, useCatalogue } from '../ui/catalogue.js';
import { Button, Chip, Empty, Fact, Facts, Field, Heading, Loading, Mail, Num, Own, Trouble } from '../ui/parts.js';
import { AGENT_STATES, POLICIES, SWITCH_STATES, WEB_LOGINS } from '../ui/words.js';
import { Changes } from './changes.js';
import { EditUser } from './users-forms.js';
import { UserActions } from './users.js';

const chip = (words, value) => html`<${Chip} tone=${words[value]?.[1]}>${words[value]?.[0] ?? value}<//>`;

export default function User({ parts: [, login] }) {
  const path = ['users', { login }];
  const thing = useThing(path);
  const numbers = useThing([...path, 'caller-ids']);
  const roles = useCatalogue('roles'), departments = useCatalogue('departments'), teams = useCatalogue('teams');
  const edit = () => open(close => html`<${EditUser} login=${login} changed=${() => { thing.reload(true);
    numbers.reload(true); }} close=${close} />`);
  const append = () => open(close => html`<${Append} login=${login} close=${close} done=${() =>
    numbers.reload(true)} />`);
  useKeys(can('users.write') ? { e: ['Edit the user', edit], n: ['Append caller IDs', append] } : {});
  const back = [href(['users']), 'All users'];
  if (thing.error) {
    return html`<${Heading} title=${login} back=${back} />${thing.error.status === 404
      ? html`<${Empty} title="There is no such user">Nobody of the account has the login
        ID <b><bdi>${login}</bdi></b>.<//>`
      : html`<${Trouble} error=${thing.error} again=${thing.reload} />`}`;
  }
  if (!thing.data) return html`<${Heading} title=${login} back=${back} /><${Loading} />`;
  const user = thing.data;
  const changed = next => (next === null ? go(['users']) : (thing.reload(true), numbers.reload(true)));
  return html`
    <${Heading} title=${html`<bdi>${user.name}</bdi>`} back=${back} actions=${can('users.write') && html`
      <${UserActions} user=${user} changed=${changed} /><${Button} kind="main" onClick=${edit}>Edit user<//>`}>
      ${user.calling_agent && chip(AGENT_STATES, user.agent_status)}<//>
    <div class="two">
      <section aria-labelledby="profile"><h2 id="profile">Profile</h2><${Facts}>
        <${Fact} name="Login ID"><${Own}>${user.login}<//><//>
        <${Fact} name="E-mail"><${Mail} of=${user.email} /><//>
        <${Fact} name="Call forward number"><${Num} of=${user.call_forward_number} /><//>
        <${Fact} name="Default caller ID"><${Num} of=${user.default_caller_id} />
          ${user.default_caller_id && numbers.data && !numbers.data.default && html` <${Chip}
            tone="warn">not to dial from now<//>`}<//>
        <${Fact} name="Calling agent">${user.calling_agent ? 'Yes' : 'No'}<//>
        <${Fact} name="Agent status">${chip(AGENT_STATES, user.agent_status)}<//>
        <${Fact} name="Web login">${chip(WEB_LOGINS, user.web_login)}<//>
        <${Fact} name="Role"><${Own}>${nameOf(roles, user.role)}<//><//>
        <${Fact} name="Department"><${Own}>${nameOf(departments, user.department)}<//><//>
        <${Fact} name="Team"><${Own}>${nameOf(teams, user.team)}<//><//>
        <${Fact} name="Designation"><${Own}>${user.designation}<//><//>
        <${Fact} name="Extension">${user.extension ? html`<bdi>${user.extension.login}</bdi>,
          intercom ${user.extension.intercom},
          ${' '}<${Chip} tone=${user.extension.active ? 'good' : 'bad'}>${user.extension.active ? 'active'
            : 'inactive'}<//>` : 'No'}<//>
        ${user.switch && html`<${Fact} name="In the phone system">${chip(SWITCH_STATES, user.switch.state)}
          ${user.switch.code && html` <code>${user.switch.code}</code>`}<//>`}
        ${user.directory_id && html`<${Fact} name="In Azure AD"><code>${user.directory_id}</code><//>`}
      <//></section>
      <${CallerIds} user=${user} numbers=${numbers} append=${append} path=${path}
        changed=${() => { thing.reload(true); numbers.reload(true); }} etag=${thing.etag} />
    </div>
    ${can('audit.read') && html`<section aria-labelledby="changes"><h2 id="changes">Last changes</h2>
      <${Changes} query=${{ user: login }} me=${who().sub} /></section>`}`;
}

function CallerIds({ user, numbers, append, path, changed, etag }) {
  const may = can('users.write');
  const data = numbers.data;
  const policy = async event => {
    const next = event.target.value, before = user.policy;
    try {
      await ask('PUT', [...path, 'caller-id-policy'], { body: { policy: next }, etag });
      forget();
      notify(`The policy is ${POLICIES[next]} now; it was ${POLICIES[before]}.`);
    } catch (error) {
      event.target.value = before;
      notify(`${explain(error).title}. ${explain(error).text}`, { tone: 'bad' });
    }
    changed();
  };
  const takeOff = async number => {
    try {
      await ask('DELETE', [...path, 'caller-ids', { number }]);
      notify(`${number} is off the list.`, { offer: ['Put it back', async () => {
        await ask('POST', [...path, 'caller-ids'], { body: { caller_ids: [number] } });
        changed();
      }] });
    } catch (error) {
      notify(explain(error).title, { tone: 'bad' });
    }
    changed();
  };
  if (numbers.error) return html`<section><h2>Caller IDs</h2><${Trouble} error=${numbers.error}
    again=${numbers.reload} /></section>`;
  if (!data) return html`<section><h2>Caller IDs</h2><${Loading} /></section>`;
  const effective = new Set(data.effective), custom = data.policy === 'custom';
  const none = !data.effective.length;
  return html`<section aria-labelledby="caller-ids"><div class="row spread"><h2 id="caller-ids">Caller IDs</h2>
      <span>${can('dial.check') && html`<${Button} onClick=${() => open(close => html`<${DialCheck} user=${user}
        path=${path} close=${close} />`)}>Dial check<//> `}
      ${may && html`<${Button} onClick=${append}>Append caller IDs<//>`}</span></div>
    <fieldset class="policy"><legend>May dial from</legend>${Object.entries(POLICIES).map(([key, text]) => html`<label
      key=${key}>
      <input type="radio" name="policy" value=${key} checked=${data.policy === key} disabled=${!may}
        onChange=${policy} /> ${text}</label>`)}</fieldset>
    ${none && html`<div class="banner warn"><div><strong>Nothing to dial from.</strong> <p>${custom
      ? 'The list is empty, or nothing on it is in service. Append a number.'
    : data.policy === 'department' ? 'The department has no number in service, or the user has no department.'
      : 'The account has no number in service.'}</p></div></div>`}
    <p>${counted(data.effective.length, 'number')} to dial from now${custom ? '' : html`, by the policy. The list of the
      user’s own has
      ${' '}${counted(data.caller_ids.length, 'number')} and counts under “${POLICIES.custom}” alone`}.</p>
    ${data.caller_ids.length > 0 && html`<ul class="numbers"
      aria-label="The user’s own list">${data.caller_ids.map(number => html`<li key=${number}>
      ${can('numbers.read') ? html`<a href=${href(['numbers', number])}><${Num} of=${number} /></a>` : html`<${Num}
        of=${number} />`}
      ${data.default === number && html` <${Chip} tone="good">default<//>`}
      ${custom && !effective.has(number) && html` <${Chip} tone="warn">not in service<//>`}
      ${may && html`<${Button} kind="small" aria-label=${`Take off ${number}`} onClick=${() =>
        takeOff(number)}>Take off<//>`}</li>`)}</ul>`}
    ${!custom && data.effective.length > 0 && html`<details><summary>What the policy gives</summary><ul class="numbers">
      ${data.effective.slice(0, 500).map(number => html`<li key=${number}><${Num} of=${number} /></li>`)}</ul>
      ${data.effective.length > 500 && html`<p class="hint">The first 500 are shown.</p>`}</details>`}
  </section>`;
}

/** What a switch is told, in words: each of them stands in docs/api.md. */
const DIAL = {
  AGENT_BLOCKED: 'the agent is blocked', AGENT_DISABLED: 'the agent is disabled',
  NUMBER_UNKNOWN: 'the account doesn’t have the number', NUMBER_RESTING: 'the number rests',
  NUMBER_RETIRED: 'the number is retired', NUMBER_NOT_ON_LIST: 'the number is not on the list',
  NUMBER_NOT_IN_DEPARTMENT: 'the number is not of the department', USER_UNKNOWN: 'there is no such user',
};

/** What a switch is told that asks before a call of the user. */
function DialCheck({ user, path, close }) {
  const [number, setNumber] = useState(''), [said, setSaid] = useState(null);
  const asked = [...path, 'caller-ids', { number: number.trim() }];
  const edge = user.extension && `curl 'http://127.0.0.1:8790/v1/extensions/${encodeURIComponent(user.extension.login)}`
    + `/caller-ids/${encodeURIComponent(number.trim())}'`;
  const submit = async () => {
    setSaid((await ask('GET', asked, { query: { suggest: true } })).data);
    return false;
  };
  return html`<${Dialog} title="Dial check" word="Check" close=${close} submit=${submit}
    ready=${number.trim() !== ''}
    foot=${html`<${Commands} lines=${[curl('GET', asked, { query: { suggest: true } }), 'rollcall edge', edge]} />`}>
    <p>What a switch is told that asks whether <bdi>${user.name}</bdi> may dial from a number. A switch asks the edge,
      ${' '}<code>rollcall edge</code>, which runs beside it.</p>
    <${Field} label="Number" type="tel" required value=${number} onInput=${event => setNumber(event.target.value)} />
    <details><summary>Set up a switch</summary><ol>
      <li>Give each user who calls the switch’s name as extension.
        ${!user.extension && ' This one has none: a switch must know the login ID.'}</li>
      <li>Run <code>rollcall edge</code> on the switch’s machine, with the address of this API and a client that has the
        scope <code>rollcall/dial.check</code>.</li>
      <li>Put the lines of a sample into the switch’s configuration. Kamailio, OpenSIPS, Asterisk and FreeSWITCH have
        one in <code>infra/samples</code>; <code>infra/docs/dial.md</code> says what they do.</li></ol></details>
    ${said && html`<div role="status">${said.allowed ? html`<${Chip} tone="good">allowed<//>`
      : html`<${Chip} tone="bad">refused<//> ${DIAL[said.code] ?? ''} <code>${said.code}</code>
        ${said.use && html`<p>Instead: <${Num} of=${said.use} /></p>`}`}</div>`}<//>`;
}

const REFUSED = {
  NUMBER_MISSING: 'nothing was written', NUMBER_SCIENTIFIC: 'a spreadsheet has rounded it',
    NUMBER_INVALID: 'it is no telephone number',
  NUMBER_NOT_OWNED: 'the account doesn’t have it', NUMBER_RETIRED: 'it is retired', LIST_LIMIT: 'the list is full',
};

function Append({ login, close, done }) {
  const [text, setText] = useState(''), [result, setResult] = useState(null);
  const list = text.split(/[\n;,]+/).map(one => one.trim()).filter(Boolean);
  const path = ['users', { login }, 'caller-ids'];
  useEffect(() => () => done(), []);
  const submit = async () => {
    const { data } = await ask('POST', path, { body: { caller_ids: list } });
    setResult(data);
    notify(`${counted(data.added.length, 'number')} added.`);
    if (!data.refused.length) return true;
    // What was refused stays to be mended.
    setText(data.refused.map(one => one.value).join('\n'));
    return false;
  };
  return html`<${Dialog} title="Append caller IDs" word="Append" close=${close} submit=${submit}
    ready=${list.length > 0}
    foot=${html`<${Commands} lines=${[curl('POST', path, { body: { caller_ids: list } })]} />`}>
    <div class="field"><label for="numbers">Numbers</label>
      <textarea id="numbers" rows="5" dir="ltr" aria-describedby="numbers-hint" value=${text} onInput=${event =>
        setText(event.target.value)}></textarea>
      <p class="hint" id="numbers-hint">One on each line, in any spelling. Nothing that is on the list is taken
        away.</p></div>
    ${result && html`<div role="status"><p>${counted(result.added.length,
      'number')} added, ${result.already_allowed.length} there already.</p>
      ${result.refused.length > 0 && html`<p class="wrong">Not added:</p><ul>${result.refused.map(({ value, code }) =>
        html`<li><b>${value}</b>:
        ${' '}${REFUSED[code] ?? code} <code>${code}</code></li>`)}</ul>`}</div>`}<//>`;
}
