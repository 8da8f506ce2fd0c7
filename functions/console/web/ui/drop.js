// Files: dropped anywhere, or chosen; told by their header; sent straight to the bucket.
import { html, useEffect, useRef, useState } from '../core/html.js';
import { Problem, ask, wait } from '../core/api.js';
import { can } from '../core/auth.js';
import { head, kindOf, save } from '../core/csv.js';
import { count, size } from '../core/format.js';
import { go } from '../core/router.js';
import { Dialog, open } from './dialog.js';
import { Commands, line } from './command.js';
import { Button, Field, PreviewFirst, Select } from './parts.js';
import { KINDS } from './words.js';
import { useCatalogue } from './catalogue.js';

/** What each kind of file is called, what it needs, and its sample. */
const FILES = {
  'append-caller-ids': {
    scope: 'users.write', command: ['append'], sample: 'append-caller-ids.csv',
      columns: 'Login ID and Allowed Caller ID',
  },
  'upload-users': {
    scope: 'users.write', command: ['upload'], sample: 'users.csv', columns: 'Login ID, Name and what else is known',
  },
  'upload-numbers': {
    scope: 'numbers.write', command: ['numbers', 'upload'], sample: 'numbers.csv',
      columns: 'Number, and what else is known of it',
  },
  'rotate-caller-ids': {
    scope: 'numbers.write', command: ['rotate', '--file'], sample: 'rotate-caller-ids.csv',
    columns: 'Old Caller ID and New Caller ID',
  },
};
/** Milliseconds for which a job is looked for before its place in the list is shown. */
const PATIENCE = 60_000;

export const allowedKinds = () => (can('jobs.write') ? Object.keys(FILES).filter(kind => can(FILES[kind].scope)) : []);

/** Fetches a sample and saves it. */
export async function sample(kind) {
  const { data } = await ask('GET', ['samples', FILES[kind].sample]);
  save(FILES[kind].sample, data);
}

/**
 * Sends a file, and resolves to the ID of its job once that is there.
 * @param {File | Blob} file
 * @param {{kind: string, name: string, preview?: boolean, role?: string, notify?: string}} options
 * @param {(share: number) => void} progress
 */
export async function drop(file, options, progress = () => {}) {
  const body = { ...options, size: file.size };
  const { data } = await ask('POST', 'jobs', { body });
  await put(data, file, progress);
  const until = Date.now() + PATIENCE;
  for (let pause = 300; Date.now() < until; pause = Math.min(pause * 1.5, 3000)) {
    await wait(pause);
    const { data: list } = await ask('GET', 'jobs', { query: { upload: data.upload, limit: 1 } });
    if (list.items.length) return list.items[0].id;
  }
  return null;
}

function put({ url, headers }, file, progress) {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    // The browser says the length by itself, and lets no script do so.
    for (const [name, value] of Object.entries(headers)) if (name !== 'content-length') request.setRequestHeader(name,
      value);
    request.upload.onprogress = event => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => (request.status < 300 ? done() : fail(new Problem({
      status: request.status, detail: request.status === 403 ? 'The leave to upload has run out. Send it again.'
        : 'The bucket refuses the file.',
    })));
    request.onerror = () => fail(new Problem({ status: 0, code: 'OFFLINE' }));
    request.send(file);
  });
}

/** Asks what to do with a file, and does it. */
export function uploadDialog(kind, file = null) {
  open(close => html`<${Upload} kind=${kind} first=${file} close=${close} />`);
}

function Upload({ kind: meant, first, close }) {
  const kinds = allowedKinds();
  const [kind, setKind] = useState(meant ?? kinds[0]), [file, setFile] = useState(null), [seen,
    setSeen] = useState(null);
  const [preview, setPreview] = useState(true), [role, setRole] = useState(''), [notify, setNotify] = useState('');
  const [share, setShare] = useState(null), [wrong, setWrong] = useState(null);
  const roles = useCatalogue('roles', can('users.read'));
  const input = useRef(null);
  const choose = async chosen => {
    if (!chosen) return;
    setWrong(null);
    const told = kindOf(await head(chosen));
    setFile(chosen);
    setSeen(told);
    if (!chosen.size) return setWrong('The file is empty.');
    if (/\.(xlsx?|ods|numbers)$/i.test(chosen.name)) {
      return setWrong('That is a workbook. Save it as CSV, and choose that file.');
    }
    if (!told.kind) return setWrong(`Its first line names no column that is known: ${told.columns.slice(0,
      5).join(', ')}. A file begins with a line of names.`);
    if (kinds.includes(told.kind) && told.kind !== meant) setKind(told.kind);
    else if (!kinds.includes(told.kind)) {
      setWrong(`It looks like a file for “${KINDS[told.kind]}”, which your token doesn’t allow.`);
    }
  };
  useEffect(() => { choose(first); }, []);
  const submit = async () => {
    if (!file) return setWrong('Choose a file first.'), false;
    setShare(0);
    try {
      const options = { kind, name: file.name.slice(0, 200), preview, ...(role && kind === 'upload-users' && { role }),
        ...(notify && { notify }) };
      const id = await drop(file, options, setShare);
      go(id ? ['jobs', id] : ['jobs']);
    } finally {
      setShare(null);
    }
  };
  const differs = seen?.kind && seen.kind !== kind;
  const words = file && line([...FILES[kind].command, file.name, ...(role && kind === 'upload-users' ? ['--role', role]
    : []),
    ...(preview && kind !== 'rotate-caller-ids' ? ['--preview'] : [])]);
  return html`<${Dialog} title=${KINDS[kind] ?? 'Upload a file'} close=${close} submit=${submit} word=${preview
    ? 'Upload and preview' : 'Upload and do it'}
    ready=${Boolean(file?.size) && Boolean(seen?.kind)} foot=${html`<${Commands} lines=${[words]} />`}>
    ${kinds.length > 1 && html`<${Select} label="What it does" value=${kind} onChange=${setKind}
      options=${kinds.map(one => [one, KINDS[one]])} />`}
    <div class="zone" onDragOver=${event => event.preventDefault()}
      onDrop=${event => { event.preventDefault(); event.stopPropagation(); choose(event.dataTransfer.files[0]); }}>
      <input ref=${input} type="file" class="unseen" id="upload-file" accept=".csv,.txt,.tsv,text/csv" tabindex="-1"
        aria-hidden="true"
        onChange=${event => choose(event.target.files[0])} />
      <${Button} onClick=${() => input.current.click()}>${file ? 'Choose another file' : 'Choose a file'}<//>
      <p>${file ? html`<b><bdi>${file.name}</bdi></b>, ${size(file.size)}`
        : 'or drop it here. CSV as Excel or a phone system writes it.'}</p>
      ${seen?.kind && html`<p class="hint" role="status">Read as: ${KINDS[seen.kind]},
        with ${count(seen.columns.length)} columns.</p>`}
    </div>
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
    ${differs && !wrong && html`<p class="hint warn">Its columns are those of “${KINDS[seen.kind]}”.</p>`}
    <p class="hint">Columns: ${FILES[kind].columns}. <button type="button" class="link" onClick=${() =>
      sample(kind)}>Sample CSV</button></p>
    ${kind === 'upload-users' && html`<${Select} label="Role of those whose rows name none" value=${role}
      onChange=${setRole}
      options=${[['', 'None'], ...roles.map(one => [one.id, one.name])]} />`}
    <${PreviewFirst} preview=${preview} setPreview=${setPreview} hint="Shows what it would do, and changes nothing until
      you say so." />
    <${Field} label="Send the report to" type="email" value=${notify} onInput=${event => setNotify(event.target.value)}
      hint="Who gets the failed rows by mail; you, or the account’s recipients, if it stays empty." />
    ${share !== null && html`<p><progress max="1" value=${share} aria-label="Upload"></progress>
      <span class="hint" role="status">${share < 1 ? `${Math.round(share * 100)} % sent`
        : 'Sent. The job is being taken up…'}</span></p>`}
  <//>`;
}

/** Takes files that are dropped anywhere on the page. */
export function DropZone() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0;
    const files = event => event.dataTransfer?.types.includes('Files');
    const on = {
      dragenter: event => { if (files(event) && allowedKinds().length) { depth += 1; setOver(true); } },
      dragleave: event => { if (files(event)) { depth -= 1; if (depth <= 0) setOver(false); } },
      dragover: event => files(event) && event.preventDefault(),
      drop: event => {
        if (!files(event)) return;
        event.preventDefault();
        depth = 0;
        setOver(false);
        if (allowedKinds().length && !document.querySelector('dialog[open]')) uploadDialog(undefined,
          event.dataTransfer.files[0]);
      },
    };
    for (const [name, does] of Object.entries(on)) addEventListener(name, does);
    return () => { for (const [name, does] of Object.entries(on)) removeEventListener(name, does); };
  }, []);
  return over ? html`<div class="over" aria-hidden="true"><p>Drop the CSV file. Its first line tells what it is
    for.</p></div>` : null;
}
