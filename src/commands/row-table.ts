import { displayWidth, padded } from './display-width.ts';
import { type Style, styled } from './output.ts';

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
