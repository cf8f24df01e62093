import { type Contender, supports } from '../contenders/contender.ts';
import { runOpenLoop } from '../load/open-loop.ts';
import { requestSource } from '../load/request-source.ts';
import { requireToken } from '../load/require-token.ts';
import { type Latency, latencyOf } from '../measure/statistics.ts';
import { prepare } from '../prepare.ts';
import type { Case, RunContext } from './case.ts';
import { measureSaturation } from './saturation.ts';

interface OpenLoopFigures {
  readonly contender: string;
  readonly saturationPerSecond: number;
  readonly requestsPerSecond: number;
  /** Of the tokens. */
  readonly latency: Latency;
  /** 503: the server sheds load, for example when something else has stalled it. From 0 to 1. */
  readonly unavailableShare: number;
}

/** Of the saturation of each contender. */
export const OPEN_LOOP_SHARE = 0.7;
const SECONDS = 10;
export const MAX_CONNECTIONS = 512;

/** Latency under a load that arrives whether or not the server responds, at 70 % of what saturates it. */
export function openLoopCase(contenders: (context: RunContext) => readonly Contender[]): Case {
  return {
    description: 'latency at 70 % of saturation, measured from the scheduled send time',
    run: async (context) => {
      const figures: OpenLoopFigures[] = [];
      const selected = contenders(context).filter((contender) => supports(contender, 'ES256'));
      for (const contender of selected) figures.push(await measureOpenLoop(contender, context));
      return { tables: [tableOf(figures)], figures };
    },
  };
}

async function measureOpenLoop(contender: Contender, context: RunContext): Promise<OpenLoopFigures> {
  const preparation = prepare({ directory: context.directory, cores: context.cores, clients: 1, algorithm: 'ES256' });
  const nextRequest = (await requestSource(preparation, 'known', 1))();
  const running = await contender.start(preparation.workload);
  try {
    context.progress(`saturation, ${contender.name}`);
    const saturationPerSecond = await measureSaturation(running, nextRequest);
    const requestsPerSecond = saturationPerSecond * OPEN_LOOP_SHARE;
    context.progress(`${requestsPerSecond.toFixed(0)} requests/s, ${contender.name}`);
    const latencies: number[] = [];
    let unavailable = 0;
    await runOpenLoop({
      connect: running.connect,
      requestsPerSecond,
      seconds: SECONDS,
      nextRequest,
      maxConnections: MAX_CONNECTIONS,
      onOutcome: (response, { total }) => {
        if (response.status === 503) {
          unavailable += 1;
          return;
        }
        requireToken(response);
        latencies.push(total);
      },
    });
    const unavailableShare = unavailable / (unavailable + latencies.length);
    const latency = latencyOf(latencies);
    return { contender: contender.name, saturationPerSecond, requestsPerSecond, latency, unavailableShare };
  } finally {
    await running.stop();
  }
}

function tableOf(figures: readonly OpenLoopFigures[]) {
  return {
    title: `Latency at ${OPEN_LOOP_SHARE * 100} % of saturation (open loop, ${SECONDS} s, ES256, one client)`,
    columns: ['contender', 'saturation/s', 'requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms', '503'],
    rows: figures.map(
      ({ contender, saturationPerSecond, requestsPerSecond, latency: { p50, p99, p999 }, unavailableShare }) => [
        contender,
        saturationPerSecond.toFixed(0),
        requestsPerSecond.toFixed(0),
        ...[p50, p99, p999].map((milliseconds) => milliseconds.toFixed(2)),
        `${(100 * unavailableShare).toFixed(2)} %`,
      ],
    ),
    notes: ['Requests arrive at random (a Poisson process). Latency counts from the scheduled time of a request.'],
  };
}
