import type { Comments } from './draft.ts';

const MIN_SECONDS = 10;
const MAX_SECONDS = 86_400;

/**
 * The lifetime of access tokens as a record may say it: what lies beyond the bounds becomes the nearest one, with a note.
 *
 * @param text seconds
 * @param setting how the other server calls it
 */
export function readLifetime(text: string, setting: string, { notes }: Comments): number | undefined {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isInteger(seconds)) {
    notes.push(`${setting} "${text}" is not a number of seconds; the server's 3600 hold`);
    return undefined;
  }
  const bounded = Math.min(Math.max(seconds, MIN_SECONDS), MAX_SECONDS);
  if (bounded !== seconds) {
    notes.push(`${setting} ${seconds} is beyond ${MIN_SECONDS} to ${MAX_SECONDS} seconds; it became ${bounded}`);
  }
  return bounded;
}
