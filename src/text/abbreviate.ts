const MAX_SHOWN = 1_000;

/**
 * As much of a text from elsewhere as a log, a reason or a report should repeat: of 16 KiB of DER a name can be 200,000
 * characters, escaped.
 */
export function abbreviate(text: string): string {
  if (text.length <= MAX_SHOWN) return text;
  return `${text.slice(0, MAX_SHOWN).toWellFormed()}… (${text.length} characters)`;
}
