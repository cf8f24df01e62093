import type { AuditEntry } from '../observability/audit.ts';
import type { HistogramChild, Metrics } from '../observability/metrics.ts';

/** Of approved checks, those that repeat an earlier one have an outcome of their own. */
export type CheckOutcome = 'minted' | 'reused' | 'verified' | 'reverified' | 'denied' | 'failed';

/** Counts one decided check. */
export type CheckCounter = (
  entry: Pick<AuditEntry, 'route' | 'resource' | 'error'>,
  outcome: CheckOutcome,
  durationMilliseconds: number,
) => void;

interface Series {
  readonly labels: Readonly<Record<'route' | 'resource' | 'outcome' | 'error', string>>;
  checks: number;
}

/** Resources come and go while the server runs. Checks of further ones are counted without the name. */
const MAX_SERIES = 10_000;

/** Seconds: a reused token costs a fraction of a signature, and a lookup that fails takes COUNTERSIGN_REDIS_TIMEOUT. */
const DURATION_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** Adds the metrics of checks. `resource` is the name of a known resource, or empty. */
export function addCheckMetrics(metrics: Metrics): CheckCounter {
  const series = new Map<string, Series>();
  metrics.addCounter({
    name: 'edge_checks_total',
    help: 'Checks of the edge by route, resource, outcome (minted, reused, verified, reverified, denied, failed) and error code',
    labels: ['route', 'resource', 'outcome', 'error'],
    read: () => [...series.values()].map(({ labels, checks }) => ({ labels, value: checks })),
  });
  const durations = metrics.histogram({
    name: 'edge_check_duration_seconds',
    help: 'Time from the request header to the response of a check, by outcome',
    labels: ['outcome'],
    buckets: DURATION_BUCKETS,
  });
  const observers: Readonly<Record<CheckOutcome, HistogramChild>> = {
    minted: durations({ outcome: 'minted' }),
    reused: durations({ outcome: 'reused' }),
    verified: durations({ outcome: 'verified' }),
    reverified: durations({ outcome: 'reverified' }),
    denied: durations({ outcome: 'denied' }),
    failed: durations({ outcome: 'failed' }),
  };
  const seriesOf = (route: string, resource: string, outcome: string, error: string): Series => {
    const key = `${route} ${resource} ${outcome} ${error}`;
    const known = series.get(key);
    if (known) return known;
    if (series.size >= MAX_SERIES && resource !== '') return seriesOf(route, '', outcome, error);
    const added = { labels: { route, resource, outcome, error }, checks: 0 };
    series.set(key, added);
    return added;
  };
  return ({ route = '', resource = '', error = '' }, outcome, durationMilliseconds) => {
    seriesOf(route, resource, outcome, error).checks += 1;
    observers[outcome].observe(durationMilliseconds / 1_000);
  };
}
