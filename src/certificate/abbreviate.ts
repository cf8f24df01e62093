const MAX_SHOWN = 1_000;

/**
 * As much of a text that a certificate holds as the audit, a reason or a report should repeat: 16 KiB of DER can be
 * 200,000 characters, escaped. `countersign certificate` prints the whole of it.
 */
export function abbreviate(text: string): string {
  if (text.length <= MAX_SHOWN) return text;
  return `${text.slice(0, MAX_SHOWN).toWellFormed()}… (${text.length} characters)`;
}
