import stringWidth from 'string-width';

/** As many spaces behind a text as it takes to fill some columns of a terminal, where characters of East Asia take two. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}

/** How many columns of a terminal a text takes. */
export function displayWidth(text: string): number {
  return stringWidth(text);
}
