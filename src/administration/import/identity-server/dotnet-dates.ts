import { type Member, textOf } from './dotnet-configuration.ts';
import { invalidValue } from './dotnet-values.ts';

/** Longer than every date in words with a time and an offset. */
const MAX_LENGTH = 60;
const EXPECTED = 'a date such as 2031-12-31, 12/31/2031 (month first) or 2031-12-31T12:00:00Z';

/**
 * An instant as .NET's invariant culture reads it: `2031-12-31`, `12/31/2031` (month first), `2031.12.31`, `31 Dec 2031`,
 * `December 31, 2031`, `Dec 2031` (its first day), with or without a time and an offset. Midnight without a time, UTC
 * without an offset. Undefined if it is missing.
 *
 * @returns milliseconds since the epoch
 * @throws {ImportError} for any other value, and for those that .NET completes by its version or the current date
 */
export function instantOf(member: Member | undefined): number | undefined {
  const text = textOf(member);
  if (text === undefined) return undefined;
  const written = text.trim();
  const [date = '', time, zone] = written.length > MAX_LENGTH ? [] : divide(written);
  const parts = partsOf(date);
  const isWhole = time === undefined && zone === undefined;
  const [day, ofDay, offset] = [dayStart(parts, isWhole), timeOfDay(time), offsetMinutes(zone)];
  if (day !== undefined && ofDay !== undefined && offset !== undefined) return day + ofDay - offset * 60_000;
  const reason = incompleteReason(parts);
  throw invalidValue(member, text, reason === undefined ? EXPECTED : `${EXPECTED}: ${reason}`);
}

const OFFSET = String.raw`[+-]\d{1,2}(?::?\d\d)?`;
const HALF = String.raw`\s*[ap]m(?![a-z])`;
const CLOCK = String.raw`\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d+)?)?`;
/** From the strictest form to a date alone, which may have an offset as well. */
const forms = [
  String.raw`(?<date>\d{4}[-/]\d{1,2}[-/]\d{1,2})T(?<time>\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(?<zone>z|${OFFSET})?`,
  String.raw`(?<date>.+?)(?:\s*,\s*|\s+)(?<time>${CLOCK}(?:${HALF})?|\d{1,2}${HALF})\s*(?<zone>z|gmt|${OFFSET})?`,
  String.raw`(?<date>.+?)\s*(?<zone>(?<![a-z])(?:z|gmt)|[+-]\d{1,2}:\d\d)?`,
].map((form) => new RegExp(`^${form}$`, 'i'));

/** The date, the time and the offset of a text. */
function divide(text: string): (string | undefined)[] {
  const { date, time, zone } = forms.map((form) => form.exec(text)?.groups).find(Boolean) ?? {};
  return [date, time, zone];
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');

interface DateParts {
  readonly weekday: number | undefined;
  readonly years: readonly number[];
  /** From 0; undefined if it is a number. */
  readonly monthName: number | undefined;
  /** The numbers of one or two digits, in order. */
  readonly numbers: readonly number[];
}

/** Undefined if the text has anything else. */
function partsOf(date: string): DateParts | undefined {
  const words = date.split(/\s*[-/.]\s*|\s*,\s*|\s+/);
  const days = words.filter((_, index) => index === 0 || index === words.length - 1).map(indexIn(WEEKDAYS));
  const weekday = days.find((index) => index !== -1);
  const items = words.filter((word) => indexIn(WEEKDAYS)(word) === -1);
  const months = items.map(indexIn(MONTHS)).filter((index) => index !== -1);
  const years = items.filter((item) => /^\d{4}$/.test(item)).map(Number);
  const numbers = items.filter((item) => /^\d{1,2}$/.test(item)).map(Number);
  const isComplete = months.length + years.length + numbers.length === items.length && months.length < 2;
  const isOneDay = words.length - items.length === (weekday === undefined ? 0 : 1);
  return isComplete && isOneDay ? { weekday, years, monthName: months[0], numbers } : undefined;
}

/** The place of a full name, or of its first three letters, in any case; -1 for another word. */
function indexIn(names: readonly string[]): (word: string) => number {
  return (word) => names.findIndex((name) => [name, name.slice(0, 3)].includes(word.toLowerCase()));
}

/** .NET takes what is missing from elsewhere. */
function incompleteReason(parts: DateParts | undefined): string | undefined {
  if (parts === undefined || parts.years.length > 0) return undefined;
  const { numbers, monthName } = parts;
  if (numbers.length + (monthName === undefined ? 0 : 1) === 3)
    return 'the century of a year with two digits depends on the version of .NET';
  return 'a date without a year changes its meaning every year';
}

/** Undefined for a date that the calendar does not have or on another day of the week, and for a month with a time. */
function dayStart(parts: DateParts | undefined, isWhole: boolean): number | undefined {
  if (parts?.years.length !== 1) return undefined;
  const { weekday, monthName, numbers } = parts;
  const [year = 0] = parts.years;
  const [month = 0, day = isWhole ? 1 : 0, ...more] = monthName === undefined ? numbers : [monthName + 1, ...numbers];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal =
    year > 0 && date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal && more.length === 0 && (weekday ?? date.getUTCDay()) === date.getUTCDay() ? date.getTime() : undefined;
}

/** Milliseconds; zero without a time. */
function timeOfDay(text: string | undefined): number | undefined {
  const [, time = '', half] = /^(.*?)\s*([ap]m)?$/i.exec(text ?? '0') ?? [];
  const [hour = 0, minute = 0, second = 0] = time.split(':').map(Number);
  const hours = half === undefined ? hour : hourOf(hour, half.toLowerCase());
  if (hours === undefined || hours > 23 || minute > 59 || second >= 60) return undefined;
  return Math.floor(((hours * 60 + minute) * 60 + second) * 1000);
}

/** .NET also accepts 0 AM, 0 PM and 13 PM. */
function hourOf(hour: number, half: string): number | undefined {
  if (half === 'pm') return hour < 12 ? hour + 12 : hour;
  return hour <= 12 ? hour % 12 : undefined;
}

const MAX_OFFSET = 14 * 60;

function offsetMinutes(zone: string | undefined): number | undefined {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{1,2}?):?(\d\d)?$/.exec(zone ?? '') ?? [];
  if (sign === undefined) return 0;
  const offset = Number(hours) * 60 + Number(minutes);
  if (offset > MAX_OFFSET || Number(minutes) > 59) return undefined;
  return sign === '-' ? -offset : offset;
}
