import type { RunningContender } from '../contenders/contender.ts';
import { serve } from '../contenders/serve.ts';
import { type OpenLoop, type RequestLatency, runOpenLoop } from '../load/open-loop.ts';
import { requestSource } from '../load/request-source.ts';
import { requireToken } from '../load/require-token.ts';
import type { RawResponse } from '../load/token-connection.ts';
import { mainThreadWaitMicroseconds } from '../measure/cpu-time.ts';
import { residentMemory } from '../measure/resident-memory.ts';
import { quantile } from '../measure/statistics.ts';
import { prepare } from '../prepare.ts';
import type { Target } from '../report/targets.ts';
import type { Case } from './case.ts';
import { OPEN_LOOP_SHARE } from './open-loop.ts';
import { measureSaturation } from './saturation.ts';

/** Shares of the saturation rate, in this order. */
const phases = [
  { name: 'before', share: OPEN_LOOP_SHARE, seconds: 5 },
  { name: 'overload', share: 2, seconds: 15 },
  { name: 'after', share: OPEN_LOOP_SHARE, seconds: 5 },
] as const;

/**
 * As many as clients or a proxy would open when no connection is idle: on a fast machine as many as that, on any other as
 * many as the server can answer in half a second. No server answers more within a second.
 */
const MAX_CONNECTIONS = 4_000;
const CONNECTION_SECONDS = 0.5;
const IN_TIME_MILLISECONDS = 1_000;

interface PhaseFigures {
  readonly revision: string;
  readonly phase: string;
  readonly maxConnections: number;
  /** Those that were scheduled, and those that the load generator came to. */
  readonly requestsPerSecond: { readonly scheduled: number; readonly reached: number };
  /** How many milliseconds the load generator came to them after the scheduled time. */
  readonly generatorDelayP99: number;
  readonly answered: number;
  readonly tokensPerSecond: number;
  /** Tokens within a second; milliseconds. */
  readonly tokens: { readonly count: number; readonly p50: number; readonly p99: number };
  /** 503 within a second; milliseconds. */
  readonly unavailable: { readonly count: number; readonly p99: number };
  /** Responses more than a second after the request was sent. */
  readonly late: number;
  /** Responses more than a second after the scheduled time of the request. With the wait for a connection. */
  readonly lateFromSchedule: number;
  /** Requests that found every connection busy until the end, and were not sent. */
  readonly unsent: number;
  /** Other responses, and none at all; the first of them. */
  readonly failed: { readonly count: number; readonly example?: string };
  readonly residentMebibytes: number;
  /** For how much of the time the server could have run and something else ran on its core. From 0 to 1. */
  readonly cpuWaitShare: number;
}

/** Good clients at twice the rate that saturates the server: each gets a token within a second or an immediate 503. */
export const overload: Case = {
  description: 'good clients at twice the saturation rate, and the time afterwards',
  run: async ({ directory, cores, trees, progress }) => {
    const figures: PhaseFigures[] = [];
    for (const tree of trees) {
      const preparation = prepare({ directory, cores, clients: 100, algorithm: 'ES256' });
      const nextRequest = (await requestSource(preparation, 'known', 100))();
      const contender = await serve(tree, { clients: 'file' }).start(preparation.workload);
      try {
        progress('saturation');
        const saturation = await measureSaturation(contender, nextRequest);
        const maxConnections = Math.min(MAX_CONNECTIONS, Math.ceil(saturation * CONNECTION_SECONDS));
        for (const { name, share, seconds } of phases) {
          const requestsPerSecond = saturation * share;
          progress(`${name}, ${requestsPerSecond.toFixed(0)} requests/s`);
          const phase = { requestsPerSecond, seconds, maxConnections };
          figures.push({
            revision: tree.revision,
            phase: name,
            ...(await measurePhase(contender, nextRequest, phase)),
          });
        }
      } finally {
        await contender.stop();
      }
    }
    return { tables: [tableOf(figures)], targets: targetsOf(figures), figures };
  },
};

async function measurePhase(
  { connect, pids: [pid = 0] }: RunningContender,
  nextRequest: () => Uint8Array,
  load: Pick<OpenLoop, 'requestsPerSecond' | 'seconds' | 'maxConnections'>,
): Promise<Omit<PhaseFigures, 'revision' | 'phase'>> {
  const { onOutcome, figures } = outcomeCounter();
  const [start, waitedBefore] = [performance.now(), mainThreadWaitMicroseconds(pid)];
  const { requestsPerSecond, delays, unsent } = await runOpenLoop({
    connect,
    nextRequest,
    ...load,
    discardsWaiting: true,
    onOutcome,
  });
  const seconds = (performance.now() - start) / 1000;
  return {
    maxConnections: load.maxConnections,
    requestsPerSecond: { scheduled: load.requestsPerSecond, reached: requestsPerSecond },
    generatorDelayP99: at(delays, 0.99),
    unsent,
    ...figures(seconds),
    residentMebibytes: residentMemory(pid).current,
    cpuWaitShare: (mainThreadWaitMicroseconds(pid) - waitedBefore) / 1e6 / seconds,
  };
}

function outcomeCounter() {
  const [tokens, unavailable]: [number[], number[]] = [[], []];
  let [late, lateFromSchedule, failed]: [number, number, number] = [0, 0, 0];
  let example: string | undefined;
  const onOutcome = (response: RawResponse, { total, server }: RequestLatency) => {
    if (total > IN_TIME_MILLISECONDS) lateFromSchedule += 1;
    const kind = kindOf(response);
    if (kind === 'failed') {
      failed += 1;
      example ??= response.text.slice(0, 300);
    } else if (server > IN_TIME_MILLISECONDS) late += 1;
    else (kind === 'token' ? tokens : unavailable).push(server);
  };
  const figures = (seconds: number) => ({
    answered: tokens.length + unavailable.length + late + failed,
    tokensPerSecond: tokens.length / seconds,
    lateFromSchedule,
    tokens: { count: tokens.length, p50: at(tokens, 0.5), p99: at(tokens, 0.99) },
    unavailable: { count: unavailable.length, p99: at(unavailable, 0.99) },
    late,
    failed: { count: failed, ...(example !== undefined && { example }) },
  });
  return { onOutcome, figures };
}

function kindOf(response: RawResponse): 'token' | 'unavailable' | 'failed' {
  if (response.status === 503) return 'unavailable';
  if (response.status !== 200) return 'failed';
  requireToken(response);
  return 'token';
}

const at = (values: readonly number[], share: number) => (values.length === 0 ? 0 : quantile(values, share));

function tableOf(figures: readonly PhaseFigures[]) {
  const hasRevisions = figures.some(({ revision }) => revision !== '');
  return {
    title: 'Overload: good clients at twice the saturation rate (open loop, ES256, 100 clients)',
    columns: [
      'phase',
      'requests/s',
      'sent/s',
      'tokens/s',
      'tokens in 1 s',
      'p50 ms',
      'p99 ms',
      '503 in 1 s',
      'p99 ms',
      'later',
      'failed',
      'later, with the wait in the client',
      'generator late, p99 ms',
      'server without its core',
      'MiB',
    ],
    rows: figures.map((phaseFigures) => rowOf(phaseFigures, hasRevisions)),
    notes: [
      `Up to ${figures[0]?.maxConnections} connections.`,
      'Latency counts from the time when a request is sent. When all connections are busy, it waits in the client before.',
      ...figures.flatMap(({ phase, failed: { example } }) => (example === undefined ? [] : [`${phase}: ${example}`])),
    ],
  };
}

function rowOf(figures: PhaseFigures, hasRevisions: boolean): readonly string[] {
  const { revision, phase, requestsPerSecond, answered, tokensPerSecond, tokens, unavailable } = figures;
  const { late, failed, lateFromSchedule, unsent, generatorDelayP99, cpuWaitShare, residentMebibytes } = figures;
  return [
    hasRevisions ? `${phase}, serve${revision && ` (${revision})`}` : phase,
    requestsPerSecond.scheduled.toFixed(0),
    requestsPerSecond.reached.toFixed(0),
    tokensPerSecond.toFixed(0),
    percent(tokens.count, answered),
    tokens.p50.toFixed(1),
    tokens.p99.toFixed(1),
    percent(unavailable.count, answered),
    unavailable.p99.toFixed(1),
    percent(late, answered),
    percent(failed.count, answered),
    percent(lateFromSchedule + unsent, answered + unsent),
    generatorDelayP99.toFixed(1),
    `${(100 * cpuWaitShare).toFixed(0)} %`,
    String(residentMebibytes),
  ];
}

function targetsOf(figures: readonly PhaseFigures[]): readonly Target[] {
  return figures
    .filter(({ revision, phase }) => revision === '' && phase !== 'before')
    .map(({ phase, late, failed }) => ({
      title: `${phase}: requests of good clients with neither a token nor a 503 within 1 s`,
      limit: 0,
      measured: late + failed.count,
      unit: '',
    }));
}

function percent(count: number, total: number): string {
  const share = (100 * count) / total;
  return share === 0 ? '0 %' : `${share.toFixed(share < 10 ? 2 : 0)} %`;
}
