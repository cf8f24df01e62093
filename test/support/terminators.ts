import { startShippedNginx } from './nginx.ts';
import type { ProgramName } from './programs.ts';
import type { RunningTerminator, ShippedTerminatorOptions } from './shipped-terminator.ts';

/** A terminator with the configuration that the repository ships for it. */
export interface ShippedTerminator {
  readonly program: ProgramName;
  /** What its configuration says that Countersign must be told. */
  readonly env: Readonly<Record<string, string>>;
  readonly start: (options: ShippedTerminatorOptions) => Promise<RunningTerminator>;
}

export const terminators = {
  nginx: { program: 'nginx', env: { COUNTERSIGN_TERMINATOR: 'nginx' }, start: startShippedNginx },
} as const satisfies Record<string, ShippedTerminator>;

export type TerminatorName = keyof typeof terminators;
