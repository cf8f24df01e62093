import type { HttpListener } from '../http/listener.ts';
import type { Metrics } from '../observability/metrics.ts';

/** Adds a gauge of the connections to each listener that is open. */
export function addConnectionMetrics(
  metrics: Metrics,
  listeners: Readonly<Record<string, Pick<HttpListener, 'connections'> | undefined>>,
): void {
  metrics.addGauge({
    name: 'connections',
    help: 'Open connections by listener (public, edge, operations)',
    labels: ['listener'],
    read: () =>
      Object.entries(listeners).flatMap(([listener, open]) =>
        open ? [{ labels: { listener }, value: open.connections }] : [],
      ),
  });
}
