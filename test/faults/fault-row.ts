import type { Load, TokenResponse } from './token-load.ts';

/** The effects of a fault; times in milliseconds. */
export interface Row {
  readonly fault: string;
  readonly known: number;
  /** The responses to known clients that are no token: status and error. */
  readonly failures: readonly string[];
  readonly slowestKnown: number;
  readonly unknown: number;
  readonly slowestUnknown: number;
  readonly p99Unknown: number;
  readonly disabledAfter: number;
  readonly revokedAfter: number;
  readonly recoveredAfter: number;
}

/** Summarizes the requests during a fault. */
export function summary({ known, unknown }: Pick<Load, 'known' | 'unknown'>) {
  return {
    known: known.length,
    failures: known.filter(({ status }) => status !== 200).map(({ status, error }) => `${status} ${error}`),
    slowestKnown: slowest(known),
    unknown: unknown.length,
    slowestUnknown: slowest(unknown),
    p99Unknown: p99(unknown),
  };
}

function p99(answers: readonly TokenResponse[]): number {
  const sorted = answers.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
}

function slowest(answers: readonly TokenResponse[]): number {
  return Math.max(...answers.map(({ milliseconds }) => milliseconds));
}

/** Renders a human-readable table. */
export function tableOf(all: readonly Row[]): string {
  const head = [
    'fault',
    'known: requests',
    'failed',
    'slowest',
    'unknown: requests',
    'p99',
    'slowest',
    'disabled after',
    'revoked after',
    'recovered after',
  ];
  const ms = (value: number) => `${Math.round(value)} ms`;
  const lines = all.map((row) => [
    row.fault,
    `${row.known}`,
    `${row.failures.length}`,
    ms(row.slowestKnown),
    `${row.unknown}`,
    ms(row.p99Unknown),
    ms(row.slowestUnknown),
    ms(row.disabledAfter),
    ms(row.revokedAfter),
    ms(row.recoveredAfter),
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => (line[column] ?? '').length)),
  );
  const pad = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
  return [head, ...lines].map((line) => line.map(pad).join('  ')).join('\n');
}
