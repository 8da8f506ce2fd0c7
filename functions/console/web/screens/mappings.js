// User mapping: who of the phone system each CRM user is, and why somebody can't see a number.
import { html, useState } from '../core/html.js';
import { ask } from '../core/api.js';
import { can } from '../core/auth.js';
import { counted } from '../core/format.js';
import { useList, useThing } from '../core/list.js';
import { go, href, setQuery } from '../core/router.js';
import { useKeys } from '../core/keys.js';
import { Commands, curl, line } from '../ui/command.js';
import { Confirm, Dialog, open } from '../ui/dialog.js';
import { Menu } from '../ui/menu.js';
import { notify } from '../ui/notices.js';
import { Banner, Button, Chip, Empty, Field, Heading, Mail, Own, PreviewFirst, Search, Select, Time, Trouble
  } from '../ui/parts.js';
import { Table } from '../ui/table.js';
import { MAPPING_STATES, POLICIES, SWITCH_STATES } from '../ui/words.js';
import { Why } from './why.js';

export const SYSTEMS = { builtin: 'Our own directory', snapshot: 'A snapshot file', smartflo: 'Smartflo',
  'zoom-phone': 'Zoom Phone' };

/** What a CRM user sees, in a few words. */
function Sees({ mapping }) {
  const { permission, state } = mapping;
  if (!permission) return html`<span class="faint">${state.is === 'mapped' ? 'nothing before a resync'
    : 'nothing'}</span>`;
  return html`${POLICIES[permission.policy]}${permission.policy === 'custom'
    ? `: ${counted(permission.caller_ids.length, 'number')}`
    : permission.policy === 'department' && permission.department ? html` (<bdi>${permission.department}</bdi>)` : ''}`;
}

/** How users' lists stand in the phone system, where it takes lists. */
function Lists({ push }) {
  if (!push) return null;
  const states = ['in_step', 'pending', 'failed', 'not_there'].filter(state => push[state] > 0);
  const told = states.map((state, at) => html`${at > 0 && ', '}<a href=${href(['users'], { switch: state })}>${
    counted(push[state], 'list')} ${SWITCH_STATES[state][0]}</a>`);
  if (push.stopped) {
    return html`<div class="banner warn"><div><strong>The phone system is told nothing more.</strong>
      ${' '}<p>${push.stopped.reason} <a href=${href(['jobs', push.stopped.job])}>The job</a></p></div></div>`;
  }
  return told.length > 0 && html`<p class="faint">Users’ lists in the phone system: ${told}${push.ends_about
    && html`, done about <${Time} at=${push.ends_about} />`}.</p>`;
}

export default function Mappings({ query }) {
  const standing = useThing('mappings/resync'), system = useThing('phone-system');
  const asked = { state: query.state, search: query.search };
  const list = useList('mappings', asked);
  const may = can('mappings.write');
  const reload = () => { list.reload(); standing.reload(true); };
  const edit = mapping => open(close => html`<${MapUser} mapping=${mapping} close=${close} done=${reload} />`);
  const resync = () => open(close => html`<${Resync} close=${close} />`);
  useKeys(may ? { n: ['Map a CRM user', () => edit(null)] } : {});
  const columns = [
    { name: 'CRM user', cell: one => html`<a href=${href(['mappings'], { ...query, why: one.crm_user
      })}><${Own}>${one.crm_user}<//></a>` },
    { name: 'E-mail or login', cell: one => html`<${Mail} of=${one.email ?? one.login} />` },
    { name: 'Mapped to', cell: one => (one.state.phone_user && can('users.read') && system.data?.system === 'builtin'
      ? html`<a href=${href(['users', one.state.phone_user])}><${Own}>${one.state.phone_user}<//></a>`
        : html`<${Own}>${one.state.phone_user ?? one.phone_user}<//>`) },
    { name: 'State', cell: one => html`<${Chip}
      tone=${MAPPING_STATES[one.state.is][1]}>${MAPPING_STATES[one.state.is][0]}<//>
      ${one.state.is === 'ambiguous' && may && html` <${Button} kind="small" onClick=${() => edit(one)}>Choose one
        of ${one.state.candidates.length}<//>`}` },
    { name: 'Sees', cell: one => html`<${Sees} mapping=${one} />` },
    { name: 'Changed', cell: one => html`<${Time} at=${one.changed} />` },
    may && { name: 'Actions', end: true, cell: one => html`<${Menu} kind="small" word="⋯" bare
      label=${`Actions on ${one.crm_user}`} items=${[
      ['Edit mapping', () => edit(one)], ['Why can’t…', () => go(['mappings'], { ...query, why: one.crm_user })],
      ['Take the mapping away', () => open(close => html`<${Unmap} mapping=${one} close=${close}
        done=${reload} />`)]]} />` },
  ].filter(Boolean);
  return html`
    <${Heading} title="User mapping" actions=${may && html`<${Button} onClick=${() => edit(null)}>Map a CRM user<//>
      <${Button} kind="main" onClick=${resync}>Resync<//>`}>
      ${system.data && html`<span class="faint">Phone system: <b>${SYSTEMS[system.data.system]}</b></span>`}<//>
    <${Lists} push=${system.data?.push} />
    <${Standing} standing=${standing.data} />
    <${Why} who=${query.why} number=${query.number} />
    <div class="filters" role="search" aria-label="Mappings">
      <${Search} label="Search by CRM user, e-mail or login" placeholder="Search mappings" value=${query.search}
        onSearch=${search => setQuery({ search }, { typed: true })} />
      <${Select} hidden label="State" value=${query.state} onChange=${state => setQuery({ state })}
        options=${[['', 'State: any'], ...Object.entries(MAPPING_STATES).map(([key, [text]]) => [key, text])]} />
      ${(query.state || query.search) && html`<a href=${href(['mappings'])}>Clear filters</a>`}</div>
    ${list.error && html`<${Trouble} error=${list.error} again=${list.reload} />`}
    ${list.complete && !list.items.length ? html`<${Empty} title=${query.state || query.search ? 'No mapping like that'
      : 'Nobody is mapped'}
      actions=${may && html`<${Button} kind="main" onClick=${() => edit(null)}>Map a CRM user<//>`}>
      A mapping says who of the phone system a CRM user is, and so which numbers that user sees.<//>` : html`
    <${Table} label="Mappings" columns=${columns} rows=${list.items} keyOf=${one => one.crm_user} open=${one =>
      go(['mappings'], { ...query, why: one.crm_user })}
      loading=${list.loading} more=${!list.complete && list.more} />
    <p class="foot" role="status">${list.loading ? '' : `${counted(list.items.length, 'mapping')} shown${list.complete
      ? '' : ', there are more'}`}</p>`}`;
}

function Standing({ standing }) {
  if (!standing) return null;
  const { done, ended, on_hold: held } = standing;
  const link = (job, text) => (can('jobs.read') ? html`<a href=${href(['jobs', job])}>${text}</a>` : text);
  if (held && ended) {
    return html`<${Banner} tone="warn" actions=${can('jobs.read') && html`<a class="button main" href=${href(['jobs',
      ended.job])}>Look and decide</a>`}>
      <strong>A resync is on hold: nothing has been changed.</strong> <p>${ended.reason} Until somebody decides, the
        schedule asks for no other.</p><//>`;
  }
  return html`<p class="hint">${done ? html`Last resync ${link(done.job, html`<${Time} at=${done.at} />`)}; its rows
    tell what was granted and revoked.` : 'No resync has been carried out yet.'}
    ${ended && html` The latest one changed nothing: ${ended.reason} (${link(ended.job, 'the job')})`}</p>`;
}

function Resync({ close }) {
  const [preview, setPreview] = useState(true);
  const body = preview ? { preview } : {};
  const submit = async () => {
    const { data } = await ask('POST', 'mappings/resync', { body });
    go(can('jobs.read') ? ['jobs', data.job] : ['mappings']);
  };
  return html`<${Dialog} title="Resync" word=${preview ? 'Preview' : 'Resync now'} close=${close} submit=${submit}
    foot=${html`<${Commands} lines=${[line(['resync', ...(preview ? ['--preview'] : [])]), curl('POST',
      'mappings/resync', { body })]} />`}>
    <p>Asks the phone system who may dial from what, and brings what CRM users see in step with it. The job’s rows tell
      what is granted and revoked.</p>
    <${PreviewFirst} preview=${preview} setPreview=${setPreview} hint="Shows what it would grant and revoke, and what
      the safety threshold says of it; nothing is changed until you say so. Without it, the job is on hold where it
      would revoke more than the threshold." /><//>`;
}

function MapUser({ mapping, close, done }) {
  const [draft, setDraft] = useState({ crm_user: mapping?.crm_user ?? '', email: mapping?.email ?? '',
    login: mapping?.login ?? '', phone_user: mapping?.phone_user ?? '' });
  const set = change => setDraft({ ...draft, ...change });
  const text = name => draft[name].trim() || null;
  const body = { email: text('email'), login: text('login'), phone_user: text('phone_user') };
  const path = ['mappings', { crm_user: draft.crm_user.trim() || 'ID' }];
  const submit = async () => {
    await ask('PUT', ['mappings', { crm_user: draft.crm_user.trim() }], { body, ...(mapping && {
      etag: `"${mapping.version.toString(16)}"` }) }).catch(async error => {
      if (error.status !== 412) throw error;
      // The version as the API writes it: asked for, and held against what is shown.
      const { data, etag } = await ask('GET', ['mappings', { crm_user: mapping.crm_user }]);
      if (data.version !== mapping.version) throw error;
      return ask('PUT', ['mappings', { crm_user: mapping.crm_user }], { body, etag });
    });
    notify('The mapping is kept. What is seen follows with the next resync.');
    done();
  };
  const candidates = mapping?.state.candidates ?? [];
  return html`<${Dialog} title=${mapping ? html`Who <bdi>${mapping.crm_user}</bdi> is` : 'Map a CRM user'}
    close=${close} submit=${submit} ready=${Boolean(draft.crm_user.trim())}
    foot=${html`<${Commands} lines=${[curl('PUT', path, { body })]} />`}>
    ${!mapping && html`<${Field} label="CRM user" value=${draft.crm_user} hint="The ID that the CRM has for the person."
      onInput=${event => set({ crm_user: event.target.value })} />`}
    ${candidates.length > 0 && html`<fieldset><legend>Several phone users fit. Which one is
      it?</legend>${candidates.map(one => html`<label key=${one}>
      <input type="radio" name="candidate" checked=${draft.phone_user === one} onChange=${() => set({ phone_user: one
        })} /> <bdi>${one}</bdi></label>`)}</fieldset>`}
    <${Field} label="E-mail" type="email" value=${draft.email}
      hint="A resync finds the phone user by it, else by the login." onInput=${event => set({ email: event.target.value
        })} />
    <${Field} label="Login" value=${draft.login} onInput=${event => set({ login: event.target.value })} />
    <${Field} label="Phone user" value=${draft.phone_user} hint="Chosen by hand: then nothing is looked for."
      onInput=${event => set({ phone_user: event.target.value })} /><//>`;
}

function Unmap({ mapping, close, done }) {
  const path = ['mappings', { crm_user: mapping.crm_user }];
  const act = async () => {
    await ask('DELETE', path);
    notify('The mapping is taken away.');
    done();
  };
  return html`<${Confirm} title=${html`Take the mapping of <bdi>${mapping.crm_user}</bdi> away?`} word="Take away"
    act=${act} close=${close}
    foot=${html`<${Commands} lines=${[line(['unmap', mapping.crm_user]), curl('DELETE', path)]} />`}><p>The CRM user
      sees no numbers any more.</p><//>`;
}
