// How things are written for people.

const counts = new Intl.NumberFormat();
/** A count, with the separators of the reader's language. */
export const count = number => counts.format(number ?? 0);

/** `3 users`, `1 user`. */
export const counted = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** Groups of digits behind a country's code, as its people write numbers. Others are in groups of three. */
const GROUPS = {
  91: [[/^[6-9]\d{9}$/, [5, 5]], [/^1(40|60)\d+$/, [3, 4, 4]]],
  1: [[/^\d{10}$/, [3, 3, 4]]],
  44: [[/^7\d{9}$/, [4, 6]], [/^[1-3]\d{9}$/, [2, 4, 4]]],
  971: [[/^5\d{8}$/, [2, 3, 4]]],
  65: [[/^\d{8}$/, [4, 4]]],
  61: [[/^4\d{8}$/, [3, 3, 3]]],
  49: [[/^1[5-7]\d{8,9}$/, [3, 4, 4]]],
  33: [[/^\d{9}$/, [1, 2, 2, 2, 2]]],
};

/** A number in E.164 form, in its international spelling: `+91 98765 00001`. */
export function phone(number) {
  if (!/^\+\d+$/.test(number ?? '')) return number ?? '';
  const digits = number.slice(1);
  const code = [3, 2, 1].map(length => digits.slice(0, length)).find(one => GROUPS[one]) ?? digits.slice(0, 2);
  const rest = digits.slice(code.length);
  const groups = GROUPS[code]?.find(([pattern]) => pattern.test(rest))?.[1];
  return `+${code} ${cut(rest, groups ?? [])}`;
}

function cut(digits, groups) {
  const parts = [];
  let at = 0;
  for (const size of [...groups, ...Array(digits.length).fill(3)]) {
    if (at >= digits.length) break;
    parts.push(digits.slice(at, at + size));
    at += size;
  }
  return parts.join(' ');
}

const days = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [['year', 31536000], ['month', 2592000], ['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];

/** A moment, in full. */
export const moment = at => moments.format(new Date(at));
/** A day without a time, such as `2030-01-31`. */
export const day = date => days.format(new Date(`${date}T00:00:00`));
/** A moment, seen from now. */
export function ago(at, now = Date.now()) {
  const seconds = (Date.parse(at) - now) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return relative.format(Math.round(seconds / size), unit);
}

/** So many days before today: `today`, `yesterday`, `2 days ago`. */
export const daysAgo = number => relative.format(-number, 'day');

/** A duration in milliseconds: `1 min 20 s`. */
export function span(time) {
  const seconds = Math.max(0, Math.round(time / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A size in bytes. */
export function size(bytes) {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  let value = bytes, at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at ? value.toFixed(value < 10 ? 1 : 0) : value} ${units[at]}`;
}
