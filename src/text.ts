/** Characters that a terminal interprets, hides or reorders instead of displaying, and line separators. */
export const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Escapes the unprintable characters of untrusted text, so that a terminal displays it and does not interpret it. */
export function printable(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The escape that JSON and YAML share in double-quoted strings: one `\uXXXX` for each UTF-16 code unit. */
export function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

const MAX_LENGTH = 1_000;

/**
 * Shortens untrusted text for logs, reasons and reports: a name in 16 KiB of DER can have 200,000 characters when
 * escaped.
 */
export function abbreviate(text: string): string {
  if (text.length <= MAX_LENGTH) return text;
  return `${text.slice(0, MAX_LENGTH).toWellFormed()}… (${text.length} characters)`;
}

/** A number and its noun, such as `1 client` and `2 clients`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
