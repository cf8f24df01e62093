import { serve } from '../contenders/serve.ts';
import { runOpenLoop } from '../load/open-loop.ts';
import { requestSource } from '../load/request-source.ts';
import { requireToken } from '../load/require-token.ts';
import type { RawResponse } from '../load/token-connection.ts';
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

/** As many as clients or a proxy would open when no connection is idle. */
const MAX_CONNECTIONS = 4_000;
const IN_TIME_MILLISECONDS = 1_000;

interface PhaseFigures {
  readonly revision: string;
  readonly phase: string;
  readonly requestsPerSecond: number;
  readonly sent: number;
  /** Tokens within a second; milliseconds. */
  readonly tokens: { readonly count: number; readonly p50: number; readonly p99: number };
  /** 503 within a second; milliseconds. */
  readonly unavailable: { readonly count: number; readonly p99: number };
  /** Responses after a second. */
  readonly late: number;
  /** Other responses, and none at all; the first of them. */
  readonly failed: { readonly count: number; readonly example?: string };
  readonly residentMebibytes: number;
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
        for (const { name, share, seconds } of phases) {
          const requestsPerSecond = saturation * share;
          progress(`${name}, ${requestsPerSecond.toFixed(0)} requests/s`);
          const counter = outcomeCounter();
          const { onOutcome } = counter;
          const load = { requestsPerSecond, seconds, maxConnections: MAX_CONNECTIONS, onOutcome };
          await runOpenLoop({ connect: contender.connect, nextRequest, ...load });
          const residentMebibytes = residentMemory(contender.pids[0] ?? 0).current;
          figures.push({
            revision: tree.revision,
            phase: name,
            requestsPerSecond,
            ...counter.figures(),
            residentMebibytes,
          });
        }
      } finally {
        await contender.stop();
      }
    }
    return { tables: [tableOf(figures)], targets: targetsOf(figures), figures };
  },
};

function outcomeCounter() {
  const [tokens, unavailable]: [number[], number[]] = [[], []];
  let [late, failed, example]: [number, number, string | undefined] = [0, 0, undefined];
  const onOutcome = (response: RawResponse, milliseconds: number) => {
    const kind = kindOf(response);
    if (kind === 'failed') {
      failed += 1;
      example ??= response.text.slice(0, 300);
    } else if (milliseconds > IN_TIME_MILLISECONDS) late += 1;
    else (kind === 'token' ? tokens : unavailable).push(milliseconds);
  };
  const figures = () => ({
    sent: tokens.length + unavailable.length + late + failed,
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
      'tokens in 1 s',
      'p50 ms',
      'p99 ms',
      '503 in 1 s',
      'p99 ms',
      'later',
      'failed',
      'MiB',
    ],
    rows: figures.map(
      ({ revision, phase, requestsPerSecond, sent, tokens, unavailable, late, failed, residentMebibytes }) => [
        hasRevisions ? `${phase}, serve${revision && ` (${revision})`}` : phase,
        requestsPerSecond.toFixed(0),
        percent(tokens.count, sent),
        tokens.p50.toFixed(1),
        tokens.p99.toFixed(1),
        percent(unavailable.count, sent),
        unavailable.p99.toFixed(1),
        percent(late, sent),
        percent(failed.count, sent),
        String(residentMebibytes),
      ],
    ),
    notes: figures.flatMap(({ phase, failed: { example } }) => (example === undefined ? [] : [`${phase}: ${example}`])),
  };
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
