/** What a terminal obeys, hides or turns around instead of showing it; and what ends a line. */
export const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A text from elsewhere as one that a terminal shows and does not obey: what does not print is escaped. */
export function printable(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return text.replace(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The escape that JSON and YAML share between double quotes: UTF-16, as JavaScript has it. */
export function escapeUnits(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

const MAX_SHOWN = 1_000;

/**
 * As much of a text from elsewhere as a log, a reason or a report should repeat: of 16 KiB of DER a name can be 200,000
 * characters, escaped.
 */
export function abbreviate(text: string): string {
  if (text.length <= MAX_SHOWN) return text;
  return `${text.slice(0, MAX_SHOWN).toWellFormed()}… (${text.length} characters)`;
}
