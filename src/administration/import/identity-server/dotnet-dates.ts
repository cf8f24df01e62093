import { type Member, textOf } from './dotnet-configuration.ts';
import { invalidValue } from './dotnet-values.ts';

const ISO =
  /^(?<year>\d{4})[-/](?<month>\d{1,2})[-/](?<day>\d{1,2})(?:[T ]\s*(?<rest>.+)|(?<zone>z|[+-]\d\d:?\d\d))?$/i;
const US = /^(?<month>\d{1,2})[-/](?<day>\d{1,2})[-/](?<year>\d{4})(?:\s+(?<rest>.+))?$/;
const DAY_FIRST =
  /^(?:(?<weekday>[a-z]{3,9}),\s*)?(?<day>\d{1,2})[- ](?<name>[a-z]{3,9})[- ,]\s*(?<year>\d{4})(?:\s+(?<rest>.+))?$/i;
const MONTH_FIRST =
  /^(?:(?<weekday>[a-z]{3,9}),\s*)?(?<name>[a-z]{3,9})\s+(?<day>\d{1,2}),?\s+(?<year>\d{4})(?:\s+(?<rest>.+))?$/i;
const TIME =
  /^(?<hour>\d{1,2}):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d{1,7}))?)?\s*(?<half>[ap]m)?\s*(?<zone>z|gmt|[+-]\d{1,2}(?::?\d\d)?)?$/i;
const ZONE = /^(?<zone>z|gmt|[+-]\d\d:?\d\d)$/i;
const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const MAX_OFFSET = 14 * 60;

/**
 * An instant as .NET's invariant culture reads it: `2031-12-31`, `12/31/2031` (month first), `31 Dec 2031`, with or
 * without a time and an offset. Midnight without a time, UTC without an offset. Undefined if it is missing.
 *
 * @returns milliseconds since the epoch
 * @throws {ImportError} for any other value, and for years of two digits, whose century depends on the version of .NET
 */
export function instantOf(member: Member | undefined): number | undefined {
  const text = textOf(member);
  if (text === undefined) return undefined;
  const instant = parseInstant(text.trim());
  if (instant !== undefined) return instant;
  throw invalidValue(member, text, 'a date such as 2031-12-31, 12/31/2031 (month first) or 2031-12-31T12:00:00Z');
}

function parseInstant(text: string): number | undefined {
  const date = [ISO, US, DAY_FIRST, MONTH_FIRST].map((pattern) => pattern.exec(text)?.groups).find(Boolean);
  if (!date) return undefined;
  const month = date.name === undefined ? Number(date.month) : indexOfName(MONTHS, date.name) + 1;
  const day = dayStart(Number(date.year), month, Number(date.day));
  if (day === undefined || (date.weekday !== undefined && !isWeekday(date.weekday, day))) return undefined;
  const time = date.rest === undefined ? { zone: date.zone } : (TIME.exec(date.rest) ?? ZONE.exec(date.rest))?.groups;
  const [ofDay, offset] = [timeOfDay(time), offsetMinutes(time?.zone)];
  return ofDay === undefined || offset === undefined ? undefined : day + ofDay - offset * 60_000;
}

/** By the full name or its first three letters, in any case; -1 for another word. */
function indexOfName(names: readonly string[], text: string): number {
  const lower = text.toLowerCase();
  return names.findIndex((name) => name === lower || name.slice(0, 3) === lower);
}

/** .NET rejects a date with the name of another day. */
function isWeekday(text: string, day: number): boolean {
  return indexOfName(WEEKDAYS, text) === new Date(day).getUTCDay();
}

/** Undefined for a date that the calendar does not have. */
function dayStart(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isReal =
    year > 0 && date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? date.getTime() : undefined;
}

/** Milliseconds; zero for a zone without a time. */
function timeOfDay(time: Readonly<Record<string, string | undefined>> | undefined): number | undefined {
  if (!time) return undefined;
  const { hour, minute = '0', second = '0', fraction = '0', half } = time;
  const hours = hourOf(hour ?? '0', half?.toLowerCase());
  if (hours === undefined || Number(minute) > 59 || Number(second) > 59) return undefined;
  return ((hours * 60 + Number(minute)) * 60 + Number(second)) * 1000 + Math.floor(Number(`0.${fraction}`) * 1000);
}

/** @param half `am` or `pm`; undefined for a clock of 24 hours */
function hourOf(text: string, half: string | undefined): number | undefined {
  const hour = Number(text);
  if (half === undefined) return hour < 24 ? hour : undefined;
  return hour >= 1 && hour <= 12 ? (hour % 12) + (half === 'pm' ? 12 : 0) : undefined;
}

function offsetMinutes(zone: string | undefined): number | undefined {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{1,2}?):?(\d\d)?$/.exec(zone ?? '') ?? [];
  if (sign === undefined) return 0;
  const offset = Number(hours) * 60 + Number(minutes);
  if (offset > MAX_OFFSET || Number(minutes) > 59) return undefined;
  return sign === '-' ? -offset : offset;
}
