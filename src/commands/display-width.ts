import { createRequire } from 'node:module';
import type * as StringWidth from 'string-width';

/** As many spaces behind a text as it takes to fill some columns of a terminal, where characters of East Asia take two. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}

/** How many columns of a terminal a text takes. */
export function displayWidth(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : loaded().default(text);
}

const load = createRequire(import.meta.url);

/** To load it takes a command a sixth of its start, and most print nothing but ASCII. */
function loaded(): typeof StringWidth {
  return load('string-width') as typeof StringWidth;
}
