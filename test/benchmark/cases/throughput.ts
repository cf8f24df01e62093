import type { SigningAlgorithm } from '../../../src/tokens/algorithms/signing-algorithm.ts';
import { startAll, stopAll } from '../../support/start-all.ts';
import { type Contender, supports } from '../contenders/contender.ts';
import { type Certificates, requestSource } from '../load/request-source.ts';
import { requireToken } from '../load/require-token.ts';
import type { RawResponse } from '../load/token-connection.ts';
import { type Measurement, measureInRounds, type Rounds } from '../measure/rounds.ts';
import type { Spread } from '../measure/statistics.ts';
import { prepare } from '../prepare.ts';
import type { Table } from '../report/table.ts';
import type { Target } from '../report/targets.ts';
import type { Case, RunContext } from './case.ts';

export interface ThroughputOptions {
  readonly title: string;
  readonly description: string;
  /** The first is the reference of the ratios. */
  readonly contenders: (context: RunContext) => readonly Contender[];
  readonly clients?: number;
  readonly certificates?: Certificates;
  readonly algorithm?: SigningAlgorithm;
  /** Per contender and round. */
  readonly requests?: number;
  /** Default: all of them. */
  readonly requestsPerConnection?: number;
  /** What a contender answers with. Default: a token. */
  readonly answer?: Answer;
  readonly targets?: (measurements: readonly Measurement[]) => readonly Target[];
}

/** What the requests of a case are answered with. */
export interface Answer {
  readonly unit: 'token' | 'check';
  /** @throws {Error} if it is another response */
  readonly require: (response: RawResponse) => void;
}

const tokens: Answer = { unit: 'token', require: requireToken };

const CONNECTIONS = 32;
/** Short rounds: what else the machine does is then much the same for all contenders of a round. */
const REQUESTS = 2_000;
/** Until V8 has optimized what runs for each request: before, a part of the CPU time is that of its compiler. */
const WARM_UP_ROUNDS = 10;

/** CPU time per request of contenders that are saturated in alternation. */
export function throughputCase(options: ThroughputOptions): Case {
  const { clients = 1, algorithm = 'ES256', requests = REQUESTS, certificates = 'known' } = options;
  const { requestsPerConnection, answer = tokens } = options;
  const warmUpRequests = Math.max(WARM_UP_ROUNDS * requests, clients);
  return {
    description: options.description,
    run: async (context) => {
      const { directory, cores, rounds, progress } = context;
      progress('issuing certificates');
      const preparation = prepare({ directory, cores, clients, algorithm });
      const load = {
        rounds,
        requests,
        connections: CONNECTIONS,
        ...(requestsPerConnection && { requestsPerConnection }),
        requireResponse: answer.require,
        warmUpRequests,
        requestsFor: await requestSource(preparation, certificates, 2 * (warmUpRequests + rounds * requests)),
        progress,
      };
      progress('starting the contenders');
      const selected = options.contenders(context).filter((contender) => supports(contender, algorithm));
      const contenders = await startAll(selected.map(({ start }) => start(preparation.workload)));
      try {
        const measurements = await measureInRounds(contenders, load);
        const targets = options.targets?.(measurements) ?? [];
        return { tables: [tableOf(options, measurements, load)], targets, figures: measurements };
      } finally {
        await stopAll(contenders);
      }
    },
  };
}

function tableOf(
  { title, answer: { unit } = tokens }: ThroughputOptions,
  measurements: readonly Measurement[],
  { rounds, requests }: Pick<Rounds, 'rounds' | 'requests'>,
): Table {
  const [reference] = measurements;
  const terminator = reference?.terminatorCpu ? ['nginx µs'] : [];
  return {
    title,
    columns: [
      'contender',
      `CPU µs/${unit}`,
      'spread',
      `× ${reference?.contender}`,
      'spread',
      ...terminator,
      `${unit}s/s`,
      ...latencyColumns,
    ],
    rows: measurements.map(({ contender, cpu, ratio, terminatorCpu, requestsPerSecond, latency }) => [
      contender,
      cpu.median.toFixed(0),
      range(cpu, 0),
      ratio.median.toFixed(2),
      range(ratio, 2),
      ...(terminatorCpu ? [terminatorCpu.median.toFixed(0)] : []),
      requestsPerSecond.median.toFixed(0),
      ...[latency.p50, latency.p99, latency.p999].map((milliseconds) => milliseconds.toFixed(1)),
    ]),
    notes: [`Medians and spreads. Rounds: ${rounds}, of ${requests} requests for each contender.`],
  };
}

const latencyColumns = ['p50 ms', 'p99 ms', 'p99.9 ms'];

function range({ lowest, highest }: Spread, digits: number): string {
  return `${lowest.toFixed(digits)}–${highest.toFixed(digits)}`;
}
