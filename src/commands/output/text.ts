import { styleText } from 'node:util';
import stringWidth from 'string-width';

/** The output of commands that report on files and servers: human-readable, or machine-readable. */
export type OutputFormat = 'text' | 'json';

export type Style = Parameters<typeof styleText>[0];

/** Colours a text when standard output is a terminal and NO_COLOR is not set. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** A row of a table. The last cell may have any length. */
export interface Row {
  readonly cells: readonly string[];
  readonly style?: Style | undefined;
}

const ROWS_IN_BATCH = 1_000;

/**
 * A table of any number of rows as text. Columns are as wide as the rows of a batch require, and never narrower than
 * those above.
 */
export async function* rowTable(headings: readonly string[], rows: AsyncIterable<Row>): AsyncGenerator<string> {
  const widths: number[] = [];
  let batch: Row[] = [{ cells: headings, style: 'bold' }];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < ROWS_IN_BATCH) continue;
    yield alignRows(batch, widths);
    batch = [];
  }
  yield alignRows(batch, widths);
}

function alignRows(rows: readonly Row[], widths: number[]): string {
  for (const { cells } of rows) widenColumns(widths, cells.slice(0, -1));
  const lines = rows.map(({ cells, style }) => {
    const line = alignCells(cells, widths);
    return `${style === undefined ? line : styled(style, line)}\n`;
  });
  return lines.join('');
}

/** The lines of a table; the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) widenColumns(widths, row);
  return rows.map((row) => alignCells(row, widths));
}

function widenColumns(widths: number[], cells: readonly string[]): void {
  for (const [column, cell] of cells.entries()) widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
}

function alignCells(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map(
    (cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(cell))),
  );
  return padded.join('  ').trimEnd();
}

/** How many columns of a terminal a text takes: East Asian characters take two. */
function displayWidth(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : stringWidth(text);
}
