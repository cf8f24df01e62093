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

/** Shortens untrusted text for a cell that others follow. @param limit in characters */
export function abbreviateCell(text: string, limit = MAX_CELL): string {
  const whole = printable(text);
  return whole.length <= limit ? whole : `${whole.slice(0, limit - 1).toWellFormed()}…`;
}

/** A table that fits a terminal, or one of any width with every column. */
export type TableFormat = 'table' | 'wide';

const MIN_WIDTH = 80;

const ROWS_IN_BATCH = 1_000;

/**
 * A table of any number of rows as text. Columns are as wide as the rows of a batch require, and never narrower than
 * those above. Lines are cut at the width of the terminal, or of 80 characters if that is more, except in a wide table.
 */
export async function* rowTable(
  format: TableFormat,
  headings: readonly string[],
  rows: AsyncIterable<Row>,
): AsyncGenerator<string> {
  const widths: number[] = [];
  const maxWidth = format === 'wide' ? Number.POSITIVE_INFINITY : Math.max(process.stdout.columns ?? 0, MIN_WIDTH);
  let batch: Row[] = [{ cells: headings, style: 'bold' }];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < ROWS_IN_BATCH) continue;
    yield await alignRows(batch, widths, maxWidth);
    batch = [];
  }
  yield await alignRows(batch, widths, maxWidth);
}

async function alignRows(rows: readonly Row[], widths: number[], maxWidth: number): Promise<string> {
  const cells = rows.map((row) => row.cells);
  const measure = await measureFor(cells);
  for (const row of cells) widenColumns(widths, row.slice(0, -1), measure);
  const lines = rows.map(({ style, ...row }) => {
    const line = cutLine(alignCells(row.cells, widths, measure), maxWidth, measure);
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

function cutLine(line: string, maxWidth: number, measure: Measure): string {
  if (measure(line) <= maxWidth) return line;
  const characters = [...line.slice(0, maxWidth)];
  while (measure(characters.join('')) >= maxWidth) characters.pop();
  return `${characters.join('').toWellFormed()}…`;
}

/** How many columns of a terminal a text takes. */
type Measure = (text: string) => number;

/** East Asian characters take two columns. The library takes longer to load than most commands to run. */
async function measureFor(rows: readonly (readonly string[])[]): Promise<Measure> {
  const isAscii = rows.every((cells) => cells.every((cell) => /^[ -~]*$/.test(cell)));
  return isAscii ? (text) => text.length : (await import('string-width')).default;
}
