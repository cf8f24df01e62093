import type { Protocol } from '../send/connection.ts';
import type { PresentedAs } from '../trial.ts';

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
