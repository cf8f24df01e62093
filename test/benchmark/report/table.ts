/** A table of a report. Cells are ready to print; the first column is aligned left, the others right. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences below the table: what the figures include. */
  readonly notes: readonly string[];
}

/** For a terminal. */
export function renderText({ title, columns, rows, notes }: Table): string {
  const lines = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)));
  const align = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  const body = lines.map((cells) => `  ${cells.map(align).join('   ')}`.trimEnd());
  return [title, ...body, ...notes.map((note) => `  ${note}`), ''].join('\n');
}

export function renderMarkdown({ title, columns, rows, notes }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const alignment = columns.map((_, column) => (column === 0 ? '---' : '---:'));
  return [`**${title}**`, '', line(columns), line(alignment), ...rows.map(line), '', ...notes].join('\n').trimEnd();
}
