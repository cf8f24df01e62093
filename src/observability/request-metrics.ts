import { type ErrorCode, errorStatus } from '../oauth/oauth-error.ts';
import type { HistogramChild, Metrics } from './metrics.ts';

/** Counts one request: by its outcome if it was granted, otherwise by the error code of the response. */
export type RequestRecorder = (outcomeOrError: string, durationMilliseconds: number) => void;

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
 * @param granted the outcomes of granted requests, such as `issued`
 */
export function addRequestMetrics(metrics: Metrics, endpoint: string, granted: readonly string[]): RequestRecorder {
  const durations = metrics.histogram({
    name: `${endpoint}_request_duration_seconds`,
    help: 'Time from the request header to the response, by outcome',
    labels: ['outcome'],
    buckets: DURATION_BUCKETS,
  });
  const metricsOf = (outcome: string, error: ErrorCode | ''): OutcomeMetrics => {
    return { labels: { outcome, error }, requests: 0, duration: durations({ outcome }) };
  };
  const failed = metricsOf('failed', 'server_error');
  // `errorStatus` is a complete Record, so its keys are exactly the error codes.
  const errors = (Object.keys(errorStatus) as ErrorCode[]).filter((error) => error !== 'server_error');
  const all = new Map<string, OutcomeMetrics>([
    ...granted.map((outcome) => [outcome, metricsOf(outcome, '')] as const),
    ...errors.map((error) => [error, metricsOf('rejected', error)] as const),
    // A failure of the server; any other error rejects the request.
    ['server_error', failed],
  ]);
  metrics.addCounter({
    name: `${endpoint}_requests_total`,
    help: `Requests to the ${endpoint} endpoint by outcome (${granted.join(', ')}, rejected, failed) and OAuth error code`,
    labels: ['outcome', 'error'],
    read: () => [...all.values()].map(({ labels, requests }) => ({ labels, value: requests })),
  });
  return (outcomeOrError, durationMilliseconds) => {
    const counted = all.get(outcomeOrError) ?? failed;
    counted.requests += 1;
    counted.duration.observe(durationMilliseconds / 1_000);
  };
}
