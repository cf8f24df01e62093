import type { ReasonCode } from '../reasons/reasons.ts';
import type { HistogramChild, Metrics } from './metrics.ts';

/** Where a request is decided. `none`: it is rejected before it reaches an endpoint, for its form or because of overload. */
export type EndpointName =
  | 'token'
  | 'introspection'
  | 'revocation'
  | 'edge_mint'
  | 'edge_verify'
  | 'edge_either'
  | 'edge_rejected'
  | 'edge_unknown'
  | 'none';

/**
 * Counts one request of an endpoint.
 *
 * @param code why it is rejected, or why its token is not active; empty otherwise
 */
export type RequestRecorder = (outcome: string, code: ReasonCode | '', durationMilliseconds: number) => void;

export interface RequestMetrics {
  /**
   * Adds an endpoint, with every outcome at zero. The codes of rejections appear with the first one of each.
   *
   * @param granted the outcomes of granted requests, such as `issued`
   */
  forEndpoint(endpoint: EndpointName, granted: readonly string[]): RequestRecorder;
  /** Counts a request that reaches no endpoint. */
  rejected(code: ReasonCode): void;
}

/** Seconds. A token costs about one signature; a request that waits for Redis takes up to COUNTERSIGN_REDIS_TIMEOUT. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The requests of one endpoint with one outcome. */
interface Outcome {
  readonly labels: { readonly endpoint: EndpointName; readonly outcome: string };
  readonly duration: HistogramChild;
  /** Counted here and read at each scrape: a counter of the library hashes its labels on every call. */
  readonly requests: Map<string, number>;
}

/** Adds the metrics of requests. Their labels are closed sets: no client, address or path of a request becomes one. */
export function addRequestMetrics(metrics: Metrics): RequestMetrics {
  const all: Outcome[] = [];
  const unreached = new Map<string, number>();
  const durations = metrics.histogram({
    name: 'request_duration_seconds',
    help: 'Time from the header section of a request to its response, by endpoint and outcome',
    labels: ['endpoint', 'outcome'],
    buckets: DURATION_BUCKETS,
  });
  metrics.addCounter({
    name: 'requests_total',
    help: 'Requests by endpoint, outcome, and the code of the reason for a rejection',
    labels: ['endpoint', 'outcome', 'code'],
    read: () => [
      ...all.flatMap(({ labels, requests }) => samples(labels, requests)),
      ...samples({ endpoint: 'none', outcome: 'rejected' }, unreached),
    ],
  });
  const add = (endpoint: EndpointName, outcome: string, requests: Map<string, number>): Outcome => {
    const labels = { endpoint, outcome };
    const added = { labels, duration: durations(labels), requests };
    all.push(added);
    return added;
  };
  return {
    forEndpoint: (endpoint, granted) => {
      const failed = add(endpoint, 'failed', new Map([['internal_error', 0]]));
      const outcomes = new Map([
        ...granted.map((outcome) => [outcome, add(endpoint, outcome, new Map([['', 0]]))] as const),
        ['rejected', add(endpoint, 'rejected', new Map())],
        ['failed', failed],
      ]);
      return (outcome, code, durationMilliseconds) => {
        const { duration, requests } = outcomes.get(outcome) ?? failed;
        requests.set(code, (requests.get(code) ?? 0) + 1);
        duration.observe(durationMilliseconds / 1_000);
      };
    },
    rejected: (code) => void unreached.set(code, (unreached.get(code) ?? 0) + 1),
  };
}

function samples(labels: Readonly<Record<string, string>>, requests: ReadonlyMap<string, number>) {
  return [...requests].map(([code, value]) => ({ labels: { ...labels, code }, value }));
}
