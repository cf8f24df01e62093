import type { Contender } from '../contenders/contender.ts';
import type { Cores } from '../machine.ts';
import type { Table } from '../report/table.ts';
import type { Target } from '../report/targets.ts';
import type { Tree } from '../tree.ts';

/** What the command line and the machine determine for every case. */
export interface RunContext {
  readonly rounds: number;
  readonly cores: Cores;
  /** The numbers of clients for `administration`. */
  readonly sizes: readonly number[];
  /** Duration of `soak`. */
  readonly minutes: number;
  /** Other authorization servers, for the cases that compare with them. */
  readonly peers: readonly Contender[];
  /** The working tree first, then the revisions that it is compared with. */
  readonly trees: readonly Tree[];
  /** A directory for this run alone. */
  readonly directory: string;
  /** Reports what is being measured, on a terminal. */
  readonly progress: (text: string) => void;
}

export interface CaseResult {
  readonly tables: readonly Table[];
  readonly targets?: readonly Target[];
  /** The figures, for `--output json`. */
  readonly figures: unknown;
}

/** A question that the benchmark answers. */
export interface Case {
  readonly description: string;
  readonly run: (context: RunContext) => Promise<CaseResult>;
}
