import { createRequire } from 'node:module';
import { styleText } from 'node:util';
import type * as StringWidth from 'string-width';

/** A row of a table. The last cell may be as long as it likes; nothing stands to its right. */
export interface Row {
  readonly cells: readonly string[];
  readonly style?: Style | undefined;
}

const ROWS_IN_PART = 1_000;

/**
 * The text of a table that may have a million rows. Columns are as wide as the rows of a part need, and never narrower
 * than those above.
 */
export async function* rowTable(headings: readonly string[], rows: AsyncIterable<Row>): AsyncGenerator<string> {
  const widths: number[] = [];
  let part: Row[] = [{ cells: headings, style: 'bold' }];
  for await (const row of rows) {
    part.push(row);
    if (part.length < ROWS_IN_PART) continue;
    yield aligned(part, widths);
    part = [];
  }
  yield aligned(part, widths);
}

function aligned(rows: readonly Row[], widths: number[]): string {
  for (const { cells } of rows) {
    for (const [column, cell] of cells.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    }
  }
  const lines = rows.map(({ cells, style }) => {
    const line = cells.map((cell, column) => padded(cell, widths[column] ?? 0)).join('  ');
    return `${style === undefined ? line.trimEnd() : styled(style, line.trimEnd())}\n`;
  });
  return lines.join('');
}

/** How a command prints: for people, or for programs. */
export type OutputFormat = 'text' | 'json';

export type Style = Parameters<typeof styleText>[0];

/** Colours a text where standard output is a terminal and NO_COLOR is not set. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** Lines with their columns under each other; the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, column) => padded(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

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
