import type { SigningAlgorithm } from '../../../src/tokens/signing-algorithm.ts';
import { startAll, stopAll } from '../../support/start-all.ts';
import type { Contender } from '../contenders/contender.ts';
import { tokenRequest } from '../load/token-request.ts';
import { type Measurement, measureInRounds } from '../measure/rounds.ts';
import type { Spread } from '../measure/statistics.ts';
import { type Preparation, prepare } from '../prepare.ts';
import type { Table } from '../report/table.ts';
import type { Case, RunContext } from './case.ts';

/**
 * Which certificates the requests of a case present. `known`: each client has one, which the server has seen. `rotating`:
 * more of them in rotation than the certificate cache holds. `once`: each of them a single time.
 */
export type Certificates = 'known' | 'rotating' | 'once';

export interface ThroughputOptions {
  readonly title: string;
  readonly description: string;
  readonly contenders: (context: RunContext) => readonly Contender[];
  readonly clients?: number;
  readonly certificates?: Certificates;
  readonly algorithm?: SigningAlgorithm;
  /** Per contender and round. */
  readonly requests?: number;
}

const CONNECTIONS = 32;
const REQUESTS = 4_000;
/** The certificate cache holds 10,000. */
const ROTATING_CERTIFICATES = 12_000;

/** CPU time per token of contenders that are saturated in alternation. */
export function throughputCase(options: ThroughputOptions): Case {
  const { clients = 1, algorithm = 'ES256', requests = REQUESTS } = options;
  return {
    description: options.description,
    run: async (context) => {
      const { directory, cores, rounds, progress } = context;
      progress('preparing');
      const preparation = prepare({ directory, cores, clients, algorithm });
      const next = requestSource(preparation, options.certificates ?? 'known', requests * (rounds + 1));
      progress('starting the contenders');
      const running = await startAll(options.contenders(context).map(({ start }) => start(preparation.workload)));
      try {
        const requestsFor = () => next();
        const measurements = await measureInRounds(running, {
          rounds,
          requests,
          connections: CONNECTIONS,
          requestsFor,
          progress,
        });
        return { tables: [tableOf(options.title, measurements)], figures: measurements };
      } finally {
        await stopAll(running);
      }
    },
  };
}

/** Prepares the requests; each contender goes through all of them from the start. */
function requestSource({ clientIds, issue }: Preparation, certificates: Certificates, total: number) {
  const length = { known: clientIds.length, rotating: ROTATING_CERTIFICATES, once: total }[certificates];
  const requests = Array.from({ length }, (_, index) => {
    const clientId = clientIds[index % clientIds.length] ?? '';
    return tokenRequest(clientId, issue(clientId));
  });
  return () => {
    let index = 0;
    return () => requests[index++ % length] ?? Buffer.of();
  };
}

function tableOf(title: string, measurements: readonly Measurement[]): Table {
  const reference = measurements[0]?.contender ?? '';
  return {
    title,
    columns: [
      'contender',
      'CPU µs/token',
      'lowest–highest',
      `× ${reference}`,
      'tokens/s',
      'p50 ms',
      'p99 ms',
      'p99.9 ms',
    ],
    rows: measurements.map(({ contender, cpu, ratio, requestsPerSecond, latency: { p50, p99, p999 } }) => [
      contender,
      cpu.median.toFixed(0),
      range(cpu),
      ratio.median.toFixed(2),
      requestsPerSecond.median.toFixed(0),
      ...[p50, p99, p999].map((milliseconds) => milliseconds.toFixed(1)),
    ]),
    notes: [],
  };
}

function range({ lowest, highest }: Spread): string {
  return `${lowest.toFixed(0)}–${highest.toFixed(0)}`;
}
