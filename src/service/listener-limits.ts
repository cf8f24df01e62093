import type { Config } from '../config.ts';
import type { ListenerLimits } from '../http/listener.ts';
import type { SheddingCause } from '../http/load-shedding.ts';
import { RequestsInFlight } from '../http/requests-in-flight.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';

/** What the listeners for clients and for checks accept, as opposed to the operations listener. */
export type CapacityConfig = Pick<Config, 'maxQueueDelay' | 'maxRequestsInFlight' | 'maxConnections'>;

/** The limits of all listeners together. */
export interface SharedLimits extends Omit<ListenerLimits, 'onShed'> {
  /** Counts a request that is shed. */
  readonly countShed: () => void;
  /** For the audit event of the request. */
  readonly sheddingReason: (cause: SheddingCause) => string;
}

export function createListenerLimits(config: CapacityConfig, metrics: Metrics, log: Log): SharedLimits {
  let shed = 0;
  metrics.addCounter({
    name: 'requests_shed_total',
    help: 'Requests that were rejected because of overload',
    labels: [],
    read: () => [{ labels: {}, value: shed }],
  });
  const { maxQueueDelay, maxRequestsInFlight, maxConnections } = config;
  const inFlight = new RequestsInFlight(maxRequestsInFlight);
  metrics.addGauge({
    name: 'requests_in_flight',
    help: 'Requests that the public listener and the edge received in full and have not answered',
    labels: [],
    read: () => [{ labels: {}, value: inFlight.count }],
  });
  const onConnectionRefused = countRefusedConnections(maxConnections, metrics, log);
  return {
    maxQueueDelay,
    inFlight,
    maxConnections,
    onConnectionRefused,
    countShed: () => {
      shed += 1;
    },
    sheddingReason: (cause) => sheddingReason(cause, config),
  };
}

function sheddingReason(cause: SheddingCause, { maxQueueDelay, maxRequestsInFlight }: CapacityConfig): string {
  if (cause.kind === 'requests_in_flight') {
    return `${cause.count} requests are in flight; COUNTERSIGN_MAX_REQUESTS_IN_FLIGHT is ${maxRequestsInFlight}`;
  }
  const waiting = `${cause.length} requests are waiting, the oldest for ${Math.round(cause.milliseconds)} ms`;
  return `${waiting}; COUNTERSIGN_MAX_QUEUE_DELAY is ${maxQueueDelay} ms`;
}

/** A peer can open connections faster than log lines are of use. */
const LOG_AGAIN_AFTER_MILLISECONDS = 10_000;

function countRefusedConnections(maxConnections: number, metrics: Metrics, log: Log): () => void {
  let refused = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  metrics.addCounter({
    name: 'connections_refused_total',
    help: 'Connections that were closed at once because COUNTERSIGN_MAX_CONNECTIONS were open',
    labels: [],
    read: () => [{ labels: {}, value: refused }],
  });
  return () => {
    refused += 1;
    if (performance.now() - loggedAt < LOG_AGAIN_AFTER_MILLISECONDS) return;
    loggedAt = performance.now();
    const reason = `${maxConnections} connections are open: lower the number of idle connections that the proxies keep, or raise COUNTERSIGN_MAX_CONNECTIONS`;
    log.warn({ event: 'connection_refused', reason, refused }, 'connection refused: too many are open');
  };
}
