import { styleText } from 'node:util';
import { printable } from '../../text.ts';

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

const MAX_CELL = 60;

/** Shortens untrusted text for a cell that others follow. */
export function abbreviateCell(text: string): string {
  const whole = printable(text);
  return whole.length <= MAX_CELL ? whole : `${whole.slice(0, MAX_CELL - 1).toWellFormed()}…`;
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
    yield await alignRows(batch, widths);
    batch = [];
  }
  yield await alignRows(batch, widths);
}

async function alignRows(rows: readonly Row[], widths: number[]): Promise<string> {
  const cells = rows.map((row) => row.cells);
  const measure = await measureFor(cells);
  for (const row of cells) widenColumns(widths, row.slice(0, -1), measure);
  const lines = rows.map(({ style, ...row }) => {
    const line = alignCells(row.cells, widths, measure);
    return `${style === undefined ? line : styled(style, line)}\n`;
  });
  return lines.join('');
}

/** The lines of a table; the last column is not padded. */
export async function table(rows: readonly (readonly string[])[]): Promise<string[]> {
  const widths: number[] = [];
  const measure = await measureFor(rows);
  for (const row of rows) widenColumns(widths, row, measure);
  return rows.map((row) => alignCells(row, widths, measure));
}

function widenColumns(widths: number[], cells: readonly string[], measure: Measure): void {
  for (const [column, cell] of cells.entries()) widths[column] = Math.max(widths[column] ?? 0, measure(cell));
}

function alignCells(cells: readonly string[], widths: readonly number[], measure: Measure): string {
  const padded = cells.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - measure(cell))));
  return padded.join('  ').trimEnd();
}

/** How many columns of a terminal a text takes. */
type Measure = (text: string) => number;

/** East Asian characters take two columns. The library takes longer to load than most commands to run. */
async function measureFor(rows: readonly (readonly string[])[]): Promise<Measure> {
  const isAscii = rows.every((cells) => cells.every((cell) => /^[ -~]*$/.test(cell)));
  return isAscii ? (text) => text.length : (await import('string-width')).default;
}
