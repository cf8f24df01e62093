import { styleText } from 'node:util';
import { displayWidth, padded } from './display-width.ts';

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
