import { serve } from '../contenders/serve.ts';
import { type RequestLatency, runOpenLoop } from '../load/open-loop.ts';
import { requestSource } from '../load/request-source.ts';
import { requireToken } from '../load/require-token.ts';
import { residentMemory } from '../measure/resident-memory.ts';
import { quantile } from '../measure/statistics.ts';
import { prepare } from '../prepare.ts';
import type { Case } from './case.ts';
import { MAX_CONNECTIONS, OPEN_LOOP_SHARE } from './open-loop.ts';
import { measureSaturation } from './saturation.ts';

const CLIENTS = 2_000;
const SAMPLE_SECONDS = 2;
/** Of the memory in the middle third of the time: below it, the median of the last third counts as no growth. */
const GROWTH_LIMIT = 0.05;

/** Minutes of an open loop, which exits with an error if the memory of the server grows. */
export const soak: Case = {
  description: 'ten minutes (--minutes) at 70 % of saturation: fails if memory grows; not part of a default run',
  run: async ({ directory, cores, minutes, trees: [tree], progress }) => {
    if (!tree) throw new Error('no revision to measure');
    const preparation = prepare({ directory, cores, clients: CLIENTS, algorithm: 'ES256' });
    const nextRequest = (await requestSource(preparation, 'rotating', CLIENTS))();
    const contender = await serve(tree, { clients: 'Redis' }).start(preparation.workload);
    const samples: number[] = [];
    const [pid = 0] = contender.pids;
    const latencies: number[] = [];
    let unavailable = 0;
    try {
      const requestsPerSecond = OPEN_LOOP_SHARE * (await measureSaturation(contender, nextRequest));
      const timer = setInterval(() => {
        samples.push(residentMemory(pid).current);
        const elapsed = ((samples.length * SAMPLE_SECONDS) / 60).toFixed(1);
        progress(`${elapsed} of ${minutes} minutes, ${samples.at(-1)} MiB`);
      }, SAMPLE_SECONDS * 1000);
      const onOutcome = (response: Parameters<typeof requireToken>[0], { total }: RequestLatency) => {
        if (response.status === 503) {
          unavailable += 1;
          return;
        }
        requireToken(response);
        latencies.push(total);
      };
      const load = { requestsPerSecond, seconds: minutes * 60, maxConnections: MAX_CONNECTIONS, onOutcome };
      await runOpenLoop({ connect: contender.connect, nextRequest, ...load }).finally(() => clearInterval(timer));
    } finally {
      await contender.stop();
    }
    return reportOf(minutes, samples, latencies, unavailable);
  },
};

/** @throws {Error} if memory has grown */
function reportOf(minutes: number, samples: readonly number[], latencies: readonly number[], unavailable: number) {
  const third = Math.floor(samples.length / 3);
  const thirds = [0, 1, 2].map((index) => quantile(samples.slice(index * third, (index + 1) * third), 0.5));
  const [first = 0, middle = 0, last = 0] = thirds;
  const row = [
    ...thirds.map((mebibytes) => `${mebibytes} MiB`),
    `${Math.max(...samples)} MiB`,
    ...[0.5, 0.99, 0.999].map((share) => quantile(latencies, share).toFixed(2)),
  ];
  if (last > middle * (1 + GROWTH_LIMIT)) {
    throw new Error(`memory grows: the medians of the thirds of ${minutes} minutes are ${thirds.join(', ')} MiB`);
  }
  const table = {
    title: `Memory during ${minutes} minutes at ${OPEN_LOOP_SHARE * 100} % of saturation (${latencies.length} tokens, ${unavailable} × 503)`,
    columns: ['contender', 'first third', 'second third', 'last third', 'peak', 'p50 ms', 'p99 ms', 'p99.9 ms'],
    rows: [['serve, Redis', ...row]],
    notes: [
      `Medians of the resident memory. ${CLIENTS} clients with 12,000 certificates, more than the certificate cache holds.`,
    ],
  };
  return { tables: [table], figures: { minutes, residentMebibytes: { first, middle, last }, samples } };
}
