import { abbreviate } from '../../../text.ts';
import { ImportError } from '../draft.ts';
import { type Member, textOf } from './dotnet-configuration.ts';

/**
 * A Boolean; the fallback if it is missing. .NET reads `true` and `false` in any case; databases write 1 and 0.
 *
 * @throws {ImportError} for any other value, including an empty one: .NET rejects it as well
 */
export function flagOf(member: Member | undefined, fallback: boolean): boolean {
  const text = member?.value === '' ? '' : textOf(member);
  if (text === undefined) return fallback;
  const flag = text.trim().toLowerCase();
  if (flag === 'true' || flag === '1') return true;
  if (flag === 'false' || flag === '0') return false;
  throw invalidValue(member, text, 'true or false');
}

const MAX_INT32 = 2_147_483_647;

/**
 * An Int32, as .NET reads it: decimal, or hexadecimal after `0x` or `#`, with spaces around it. Undefined if it is missing.
 *
 * @throws {ImportError} for any other value
 */
export function integerOf(member: Member | undefined): number | undefined {
  const text = member?.value === '' ? '' : textOf(member);
  if (text === undefined) return undefined;
  const digits = text.trim();
  const hex = /^(?:0x|&h|#)([0-9a-f]{1,8})$/i.exec(digits)?.[1];
  const value = hex === undefined ? Number(digits) : Number.parseInt(hex, 16) | 0;
  const isInteger = hex !== undefined || /^[+-]?\d+$/.test(digits);
  if (isInteger && value >= -MAX_INT32 - 1 && value <= MAX_INT32) return value;
  throw invalidValue(member, text, 'an integer');
}

/**
 * Whether an enumeration has this member: its name in any case, or its number. The fallback if the value is missing.
 *
 * @param names of the enumeration; the first is 0
 * @throws {ImportError} for any other name
 */
export function isEnumMember(
  member: Member | undefined,
  names: readonly string[],
  wanted: string,
  fallback: boolean,
): boolean {
  const text = member?.value === '' ? '' : textOf(member);
  if (text === undefined) return fallback;
  const known = names.find((name) => name.toLowerCase() === text.trim().toLowerCase());
  if (known !== undefined) return known === wanted;
  // .NET accepts any number, also one without a name.
  if (/^[+-]?\d+$/.test(text.trim())) return names[Number(text)] === wanted;
  throw invalidValue(member, text, names.join(' or '));
}

/** The value is not of the type that .NET binds it to. */
export function invalidValue(member: Member | undefined, text: string, expected: string): ImportError {
  return new ImportError(`"${member?.name}" is "${abbreviate(text)}"; expected ${expected}`);
}
