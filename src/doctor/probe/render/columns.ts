import type { Protocol } from '../send/connection.ts';
import type { PresentedAs } from '../trial.ts';
import type { Table } from './section.ts';

const columns = [
  { protocol: 'http/1.1', certificate: 'none', title: 'HTTP/1.1' },
  { protocol: 'http/1.1', certificate: 'own', title: '+ own' },
  { protocol: 'http/1.1', certificate: 'untrusted', title: '+ untrusted' },
  { protocol: 'h2', certificate: 'none', title: 'HTTP/2' },
  { protocol: 'h2', certificate: 'own', title: '+ own' },
  { protocol: 'h2', certificate: 'untrusted', title: '+ untrusted' },
] as const;

export type Column = (typeof columns)[number];

/** What decides the column of a request. */
interface Sent {
  readonly protocol: Protocol;
  readonly certificate: PresentedAs;
}

/** The columns that are not empty. */
export function columnsOf(requests: readonly Sent[]): readonly Column[] {
  return columns.filter((column) => requests.some((request) => isIn(column, request)));
}

export function isIn({ protocol, certificate }: Column, request: Sent): boolean {
  return request.protocol === protocol && request.certificate === certificate;
}

export function headerOf(used: readonly Column[]): string[] {
  return ['', ...used.map(({ title }) => title)];
}

/** The width of a terminal, without the indentation of a table. */
const TABLE_WIDTH = 78;
const GAP = 2;

/** Continues titles in the next row where the table would be wider than a terminal. The other cells are short. */
export function wrapTitles(table: Table): Table {
  const widths = table.reduce<number[]>((known, [, ...cells]) => {
    return cells.map((cell, index) => Math.max(cell.length, known[index] ?? 0));
  }, []);
  const available = widths.reduce((rest, width) => rest - GAP - width, TABLE_WIDTH);
  return table.flatMap(([title = '', ...cells]) => {
    const [first = '', ...others] = wordLines(title, available);
    return [[first, ...cells], ...others.map((line) => [`  ${line}`])];
  });
}

/** A text in lines of at most this width, broken between words and before the path of a URL; all but the first are indented. */
function wordLines(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/(?= )|(?<=[^/:])(?=\/)/)) {
    const last = lines.at(-1);
    const indentation = lines.length > 1 ? GAP : 0;
    if (last !== undefined && indentation + last.length + word.length <= width) lines.splice(-1, 1, last + word);
    else lines.push(word.trimStart());
  }
  return lines;
}
