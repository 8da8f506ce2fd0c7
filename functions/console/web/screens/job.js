// One job: how far it is, what it would do, what came of it, and what to do about it.
import { Fragment, html, useEffect, useRef, useState } from '../core/html.js';
import { ask, explain } from '../core/api.js';
import { can, who } from '../core/auth.js';
import { count, counted, moment, size, span } from '../core/format.js';
import { forget } from '../core/list.js';
import { download } from '../core/results.js';
import { go, href } from '../core/router.js';
import { useNames } from '../ui/catalogue.js';
import { Commands, curl, line } from '../ui/command.js';
import { Confirm, Dialog, open } from '../ui/dialog.js';
import { announce, notify } from '../ui/notices.js';
import { Banner, Button, Card, Cards, Check, Empty, Fact, Facts, Heading, Loading, Own, Time, Trouble
  } from '../ui/parts.js';
import { KINDS, actor, titleOf } from '../ui/words.js';
import { Rows } from './job-rows.js';
import { StateOf } from './jobs.js';

const RUNNING = ['running', 'previewing'];
const PHASES = { reading: 'Reading the file', applying: 'Deciding and writing', reporting: 'Writing the report',
  mailing: 'Sending the report', done: 'Done' };
/** Kinds that can be undone. */
const UNDOABLE = ['append-caller-ids', 'upload-users', 'upload-numbers', 'rotate-caller-ids'];
/** Milliseconds between two looks: the first, and the most. */
const FIRST = 400, MOST = 5000;
/** How long a job that was asked for is waited for, in milliseconds. */
const PATIENCE = 60_000;

/** The job as it is now, looked at again while it runs. */
function useJob(id) {
  const [state, setState] = useState({});
  const timer = useRef(0), begun = useRef(Date.now()), pause = useRef(FIRST);
  const look = async () => {
    clearTimeout(timer.current);
    try {
      const { data } = await ask('GET', ['jobs', id]);
      setState(old => {
        if (old.data && old.data.state !== data.state) {
          announce(`The job is ${data.state.replace('_', ' ')}`);
          forget();
        }
        return { data };
      });
      if (!RUNNING.includes(data.state)) return;
    } catch (error) {
      // What was asked for a moment ago is taken up in a moment.
      const soon = error.status === 404 && Date.now() - begun.current < PATIENCE;
      setState(old => (soon || old.data ? { ...old, soon, error: soon ? null : error } : { error }));
      if (!soon && error.status !== 0) return;
    }
    pause.current = Math.min(pause.current * 1.4, MOST);
    timer.current = setTimeout(look, pause.current);
  };
  const start = () => { pause.current = FIRST; begun.current = Date.now(); return look(); };
  useEffect(() => { start(); return () => clearTimeout(timer.current); }, [id]);
  return { ...state, look: start };
}

export default function Job({ parts: [, id] }) {
  const { data: job, error, soon, look } = useJob(id), names = useNames();
  const back = [href(['jobs']), 'Jobs'];
  if (!job) {
    return html`<${Heading} title="Job" back=${back} />
      ${error ? (error.status === 404 ? html`<${Empty} title="There is no such job">It may belong to another
        account.<//>` : html`<${Trouble} error=${error} again=${look} />`)
    : html`<${Loading} what=${soon ? 'The job is being taken up' : 'Loading'} />`}`;
  }
  const me = who().sub, running = RUNNING.includes(job.state);
  const decides = ['previewed', 'on_hold'].includes(job.state) && can('jobs.write');
  const undoable = job.kind !== 'undo' && UNDOABLE.includes(job.kind) && (job.state === 'finished'
    || (job.state === 'failed' && job.failure?.because === 'gave_up'));
  const decide = async (word, done) => {
    try {
      await ask('POST', ['jobs', id, word]);
      notify(done);
    } catch (problem) {
      notify(`${explain(problem).title}. ${explain(problem).text}`, { tone: 'bad' });
    }
    look();
  };
  const execute = () => (job.state === 'on_hold' ? open(close => html`<${Confirm} title="Do it although it is on hold?"
    word="Do it" close=${close}
    act=${() => decide('execute', 'The job goes on.')} foot=${html`<${Commands} lines=${[line(['job', id,
      '--execute'])]} />`}>
    <p>${job.failure?.reason ?? 'It would do more than the safety threshold allows.'}</p><p>No threshold applies to it
      any more.</p><//>`) : decide('execute', 'The job goes on.'));
  const undo = () => open(close => html`<${Undo} job=${job} close=${close} />`);
  const again = async () => download(id, 'failures').catch(problem => notify(explain(problem).text, { tone: 'bad' }));
  return html`
    <${Heading} title=${html`<bdi>${titleOf(job)}</bdi>`} back=${back} actions=${html`
      ${decides && html`<${Button} kind="main" onClick=${execute}>Do it<//><${Button} onClick=${() => decide('discard',
        'The job is discarded.')}>Discard<//>`}
      ${undoable && can('jobs.write') && html`<${Button} onClick=${undo}>Undo…<//>`}`}><${StateOf} job=${job} /><//>
    <p>${KINDS[job.kind] ?? job.kind}, ${job.asked_by ? html`asked for by ${actor(job.asked_by, me, names)} ` : ''}
      <${Time}
      at=${job.started} />
      ${job.decided_by && html`, decided by ${actor(job.decided_by, me, names)}`}
      ${job.undoes && html`. It takes back <a href=${href(['jobs', job.undoes])}>another job</a>`}
      ${job.undone_by && html`. <a href=${href(['jobs', job.undone_by])}>Another job</a> has taken it back`}.</p>
    <${Standing} job=${job} />
    ${running ? html`<${Live} job=${job} />` : html`<${Counts} job=${job} />`}
    ${(job.notes ?? []).map(note => html`<${Banner} key=${note.code} tone=${note.code
      === 'SAFETY_THRESHOLD' ? 'warn' : 'calm'}><p>${note.message} ${note.line
      ? html`<span class="faint">Line ${note.line}.</span>` : ''} <code>${note.code}</code></p><//>`)}
    ${!running && html`<${Rows} job=${job} again=${again} />`}
    <details class="panel"><summary>More about it</summary><${Facts}>
      <${Fact} name="ID"><code>${job.id}</code><//><${Fact}
        name="File"><code>${job.upload}</code>, ${size(job.size)}<//>
      <${Fact} name="Started">${moment(job.started)}<//>
      ${job.ended && html`<${Fact} name="Ended">${moment(job.ended)},
        after ${span(Date.parse(job.ended) - Date.parse(job.started))}<//>`}
      ${job.role && html`<${Fact} name="Role"><${Own}>${job.role}<//><//>`}${job.encoding && html`<${Fact}
        name="Encoding">${job.encoding}<//>`}
      <${Fact} name="Attempts">${count(job.attempts)}<//><${Fact} name="Writes">${count(job.progress.statements)},
        throttled ${count(job.progress.throttled)}<//>
      ${job.mail && html`<${Fact} name="Report">${MAIL[job.mail.state] ?? job.mail.state} ${job.mail.reason ?? ''}<//>`}
      ${job.notify_ignored && html`<${Fact} name="Report to">The account’s recipients: whom the file names may not get
        it.<//>`}
    <//>
    ${can('audit.read') && html`<p><a href=${href(['audit'], { job: id })}>What it changed, in the audit trail</a></p>`}
    <${Commands} lines=${[line(['job', id]), line(['job', id, '--failures', 'failed.csv']), curl('GET', ['jobs',
      id])]} /></details>`;
}

const MAIL = {
  not_due: 'None is due.', no_recipient: 'Nobody is named who gets it.', sent: 'Sent.',
    too_many: 'Not sent: the account has sent as many mails today as it may.',
  refused: 'The mail service refuses it.',
};

/** What the state means, and what nobody can overlook. */
function Standing({ job }) {
  const { state, failure, previewed } = job;
  if (state === 'previewed') return html`<${Banner} tone="warn"><strong>A preview: nothing has been changed.</strong> Do
    it, or discard it.<//>`;
  if (state === 'on_hold') return html`<${Banner} tone="warn"><strong>On hold: nothing has been
    changed.</strong> <p>${failure?.reason}</p><//>`;
  if (failure) {
    const text = failure.because === 'file' ? failure.message : failure.reason;
    return html`<${Banner} tone="bad"><strong>${failure.because === 'gave_up' ? 'Given up'
      : 'Nothing came of it'}.</strong> <p>${text}
      ${failure.line ? ` Line ${failure.line}.` : ''} ${failure.code && html`<code>${failure.code}</code>`}</p><//>`;
  }
  if (job.waiting) return html`<${Banner} tone="calm">Nobody works on it just now. It goes on at the next delivery of
    its file.<//>`;
  if (previewed?.differs) return html`<${Banner} tone="warn">Of ${counted(previewed.differs, 'row')} something else has
    come than the preview said; they carry a warning.<//>`;
  if (state === 'undone') return html`<${Banner} tone="calm">What it did was taken back.<//>`;
  return null;
}

/** How far it is: users at first, and rows while the report tells of them. */
function Live({ job }) {
  const { users, users_done: done, rows, rows_reported: reported, numbers_added: added, numbers_removed: removed,
    users_created: created } = job.progress;
  const [now, all, what] = job.phase === 'reporting' ? [reported, rows, 'row'] : [done, users, 'user'];
  const left = Math.max(0, Date.parse(job.ends_about) - Date.now());
  return html`<section aria-label="Progress"><p role="status">${PHASES[job.phase] ?? job.phase}${all
    ? `: ${count(now)} of ${counted(all, what)}` : '…'}
      ${left ? html` <span class="faint">about ${span(left)} left at this rate</span>` : ''}</p>
    <progress aria-label=${`${what}s done`} max=${all || 1} value=${job.phase === 'reading' ? undefined
      : now}></progress>
    <${Cards}><${Card} value=${count(done)} name="users done" />
      ${added > 0 && html`<${Card} value=${count(added)} name="numbers added" tone="good" />`}
      ${removed > 0 && html`<${Card} value=${count(removed)} name="numbers removed" />`}
      ${created > 0 && html`<${Card} value=${count(created)} name="users created" tone="good" />`}<//></section>`;
}

function Counts({ job }) {
  const { counts, progress, previewed } = job;
  const done = job.state === 'previewed' ? 'would be ' : '';
  const cards = [
    [counts.applied, 'applied', 'good'], [counts.partial, 'partial', 'warn'], [counts.unchanged, 'unchanged'],
      [counts.failed, 'failed', 'bad'],
    [counts.unprocessed, 'unprocessed', 'warn'], [progress.users_changed, `users ${done}changed`],
      [progress.users_created, `users ${done}created`],
    [progress.numbers_added, `numbers ${done}added`], [progress.numbers_removed, `numbers ${done}removed`],
  ].filter(([number, name]) => number || ['applied', 'failed'].includes(name));
  return html`<${Fragment}><${Cards}>${cards.map(([number, name, tone]) => html`<${Card} key=${name}
    value=${count(number)} name=${name} tone=${number ? tone : ''} />`)}<//>
    ${previewed && html`<p class="hint">The preview
      said: ${count(previewed.counts.applied)} applied, ${count(previewed.counts.failed)} failed.</p>`}<//>`;
}

function Undo({ job, close }) {
  const [empty, setEmpty] = useState(false);
  const body = { preview: true, ...(empty && { allow_empty: true }) };
  const submit = async () => {
    const { data } = await ask('POST', ['jobs', job.id, 'undo'], { body });
    go(['jobs', data.job]);
  };
  return html`<${Dialog} title="Undo" word="Preview the undo" close=${close} submit=${submit}
    foot=${html`<${Commands} lines=${[line(['undo', job.id, '--preview', ...(empty ? ['--allow-empty'] : [])]),
      curl('POST', ['jobs', job.id, 'undo'], { body })]} />`}>
    <p>A job of its own takes back what <b><bdi>${job.name}</bdi></b> did, but for what has been changed since. It shows
      each thing first, and changes nothing until you say so.</p>
    <${Check} label="Users may be left without a number to dial from" hint="Else those keep their lists."
      checked=${empty} onChange=${event => setEmpty(event.target.checked)} /><//>`;
}
