import { type ErrorCode, errorStatus } from '../oauth/oauth-error.ts';
import type { HistogramChild, Metrics } from './metrics.ts';

/** Counts one request: `error` is the code of the response, undefined for a granted request. */
export type RequestRecorder = (error: string | undefined, durationMilliseconds: number) => void;

interface OutcomeMetrics {
  readonly labels: { readonly outcome: string; readonly error: string };
  /** Counted here and read at each scrape: a counter of the library hashes its labels on every call. */
  requests: number;
  readonly duration: HistogramChild;
}

/** Seconds. A token costs about one signature; a request that waits for Redis takes up to COUNTERSIGN_REDIS_TIMEOUT. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/**
 * Adds the metrics of one endpoint. Every combination of labels is resolved here, since resolving one costs more than
 * observing.
 *
 * @param endpoint part of the metric names: `token` in `countersign_token_requests_total`
 * @param granted the outcome of a granted request, such as `issued`
 */
export function addRequestMetrics(metrics: Metrics, endpoint: string, granted: string): RequestRecorder {
  const durations = metrics.histogram({
    name: `${endpoint}_request_duration_seconds`,
    help: 'Time from the request header to the response, by outcome',
    labels: ['outcome'],
    buckets: DURATION_BUCKETS,
  });
  const metricsOf = (error: ErrorCode | undefined): OutcomeMetrics => {
    const outcome = error === undefined ? granted : outcomeOf(error);
    return { labels: { outcome, error: error ?? '' }, requests: 0, duration: durations({ outcome }) };
  };
  const failed = metricsOf('server_error');
  // `errorStatus` is a complete Record, so its keys are exactly the error codes.
  const outcomes = [undefined, ...(Object.keys(errorStatus) as ErrorCode[])] as const;
  const byError = new Map<string | undefined, OutcomeMetrics>(
    outcomes.map((error) => [error, error === 'server_error' ? failed : metricsOf(error)]),
  );
  metrics.addCounter({
    name: `${endpoint}_requests_total`,
    help: `Requests to the ${endpoint} endpoint by outcome (${granted}, rejected, failed) and OAuth error code`,
    labels: ['outcome', 'error'],
    read: () => [...byError.values()].map(({ labels, requests }) => ({ labels, value: requests })),
  });
  return (error, durationMilliseconds) => {
    const outcome = byError.get(error) ?? failed;
    outcome.requests += 1;
    outcome.duration.observe(durationMilliseconds / 1_000);
  };
}

/** A `server_error` is a failure of the server; any other error rejects the request. */
function outcomeOf(error: ErrorCode): 'rejected' | 'failed' {
  return error === 'server_error' ? 'failed' : 'rejected';
}
