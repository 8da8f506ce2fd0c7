// CSV as the product writes it: a cell that a spreadsheet could take for a formula has an apostrophe before it.

/** Records of a text, by the delimiter that its first line has most of. */
export function parse(text, delimiter = sniff(text)) {
  const records = [];
  let record = [], cell = '', quoted = false;
  const source = text.replace(/^\uFEFF/, '');
  for (let at = 0; at < source.length; at += 1) {
    const char = source[at];
    if (quoted) {
      if (char !== '"') cell += char;
      else if (source[at + 1] === '"') { cell += '"'; at += 1; } else quoted = false;
    } else if (char === '"' && cell === '') quoted = true;
    else if (char === delimiter) { record.push(cell); cell = ''; }
    else if (char === '\n' || char === '\r') {
      if (char === '\r' && source[at + 1] === '\n') at += 1;
      record.push(cell);
      if (record.length > 1 || record[0] !== '') records.push(record);
      record = []; cell = '';
    } else cell += char;
  }
  if (cell !== '' || record.length) records.push([...record, cell]);
  return records;
}

function sniff(text) {
  const line = text.split(/\r?\n/, 1)[0];
  const of = char => line.split(char).length;
  return [',', ';', '\t', '|'].reduce((best, char) => (of(char) > of(best) ? char : best), ',');
}

/** A cell's value, without the apostrophes that keep it from being a formula. */
export const unguard = cell => cell.replace(/(^|[,;|\t\n\r])'(?=[=+\-@'])/g, '$1');

const guard = cell => cell.replace(/(^|[,;|\t\n\r])(?=[=+\-@'])/g, "$1'");

/** A text of records. */
export function write(records) {
  const cell = value => {
    const text = guard(String(value ?? ''));
    return /[",;\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  return records.map(record => `${record.map(cell).join(',')}\r\n`).join('');
}

const folded = name => name.toLowerCase().replace(/\([^)]*\)\s*$/, '').replace(/[^\p{L}\p{N}]/gu, '');
const LOGINS = ['loginid', 'login', 'userid', 'username'];
const NUMBERS = /^(allowedcallerids?|allowedcalleridlist|alloweddidnumbers?|alloweddids?|callerids?|dids?)$/;
const NUMBER = ['number', 'callerid', 'did', 'didnumber', 'telephone'];
const OLD = ['oldcallerid', 'oldnumber', 'olddid', 'old', 'retire'];

/**
 * What kind of file a header belongs to, and why not, if to none.
 * @returns {{kind: string | null, columns: string[]}}
 */
export function kindOf(text) {
  const columns = parse(text.split(/\r?\n|\r/, 1)[0] ?? '')[0] ?? [];
  const names = columns.map(folded);
  if (names.some(name => OLD.includes(name))) return { kind: 'rotate-caller-ids', columns };
  if (names.some(name => LOGINS.includes(name))) {
    const own = ['line', 'status', 'errorcode', 'errorfield', 'errorvalue', 'errormessage'];
    const others = names.filter(name => !LOGINS.includes(name) && !own.includes(name) && name);
    const append = others.some(name => NUMBERS.test(name)) && others.every(name => NUMBERS.test(name));
    return { kind: append ? 'append-caller-ids' : 'upload-users', columns };
  }
  return { kind: names.some(name => NUMBER.includes(name)) ? 'upload-numbers' : null, columns };
}

/** The text of the first bytes of a file, by its mark. */
export async function head(file, most = 65536) {
  const bytes = new Uint8Array(await file.slice(0, most).arrayBuffer());
  const [a, b] = bytes;
  const encoding = a === 0xff && b === 0xfe ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** Has the browser save a text as a file. */
export function save(name, text, type = 'text/csv;charset=utf-8') {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
