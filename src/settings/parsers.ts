import { closestMatch } from '../closest-match.ts';

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Parses `80ms`, `30s`, `5m`, `24h`, `7d` or `0`.
 *
 * @returns milliseconds
 * @throws {RangeError}
 */
export function parseDuration(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,6})(ms|[smhd])$/.exec(text) ?? [];
  if (text === '0') return 0;
  if (count === undefined) throw new RangeError(`"${text}" is not a duration such as 80ms, 30s, 5m, 24h or 7d`);
  return Number(count) * (MILLISECONDS[unit] ?? Number.NaN);
}

/** Parses a duration that may be 0. @param max milliseconds */
export function durationFromZeroTo(max: number): (text: string) => number {
  return (text) => {
    const milliseconds = parseDuration(text);
    if (milliseconds <= max) return milliseconds;
    throw new RangeError(`"${text}" must be at most ${max / 1000}s`);
  };
}

/** Parses a duration of more than 0. @param max milliseconds */
export function durationUpTo(max: number): (text: string) => number {
  return (text) => {
    const milliseconds = parseDuration(text);
    if (milliseconds > 0 && milliseconds <= max) return milliseconds;
    throw new RangeError(`"${text}" must be more than 0 and at most ${max / 1000}s`);
  };
}

/** Parses a number from 1 to `max`. */
export function integerUpTo(max: number): (text: string) => number {
  return (text) => {
    if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= max) return Number(text);
    throw new RangeError(`"${text}" is not a number from 1 to ${max}`);
  };
}

/** A parser that accepts these names, whatever their case, and throws a RangeError that lists them. */
export function oneOf<const Name extends string>(names: readonly Name[]): (text: string) => Name {
  return (text) => {
    const known = names.find((name) => name.toLowerCase() === text.toLowerCase());
    if (known !== undefined) return known;
    const suggestion = text.length > MAX_COMPARED_CHARACTERS ? undefined : closestMatch(text, names);
    const hint = suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`;
    throw new RangeError(`"${text}" is not one of: ${names.join(', ')}${hint}`);
  };
}

/** Longer than any name: the comparison takes time with each character. */
const MAX_COMPARED_CHARACTERS = 64;

/** @throws {RangeError} */
export function parseBoolean(text: string): boolean {
  const other = otherBooleans[text.toLowerCase()];
  if (other !== undefined) throw new RangeError(`"${text}" is not one of: true, false (did you mean ${other}?)`);
  return oneOf(['true', 'false'])(text) === 'true';
}

const otherBooleans: Readonly<Record<string, string>> = {
  ...{ yes: 'true', on: 'true', '1': 'true', enabled: 'true' },
  ...{ no: 'false', off: 'false', '0': 'false', disabled: 'false' },
};

/** For paths, and for texts that are parsed where they are used. */
export function plainText(text: string): string {
  return text;
}

/** A parser of comma-separated entries. An error names the entry. */
export function listOf<Value>(parse: (entry: string) => Value): (text: string) => readonly Value[] {
  return (text) =>
    text.split(',').map((item) => {
      const entry = item.trim();
      try {
        return parse(entry);
      } catch (error) {
        throw new RangeError(`"${entry}": ${error instanceof Error ? error.message : String(error)}`);
      }
    });
}
