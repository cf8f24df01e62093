import { RecentExpiries } from '../../src/authentication/recent-expiries.ts';
import { addCheckMetrics } from '../../src/edge/check-metrics.ts';
import type { DescribedMetric } from '../../src/observability/metrics.ts';
import { addRequestMetrics } from '../../src/observability/request-metrics.ts';
import { addConnectionMetrics } from '../../src/service/connection-metrics.ts';
import type { Dependencies } from '../../src/service/dependencies.ts';
import { createListenerLimits } from '../../src/service/listener-limits.ts';
import { addExpiryMetrics } from '../../src/service/pki-metrics.ts';
import { createServiceMetrics } from '../../src/service/service-metrics.ts';

/** Every metric of a server that uses all that can be configured, as it registers them. */
export function registeredMetrics(): readonly DescribedMetric[] {
  const config = { settingsDigest: '', maxQueueDelay: 1, maxRequestsInFlight: 1, maxConnections: 1 };
  const metrics = createServiceMetrics({
    config,
    dependencies,
    logs: { lostLines: 0 },
    notReadyReason: () => undefined,
  });
  addCheckMetrics(metrics, addRequestMetrics(metrics));
  addExpiryMetrics(metrics, new RecentExpiries());
  addConnectionMetrics(metrics, {});
  createListenerLimits(config, metrics, { info: () => {}, warn: () => {}, error: () => {} });
  return metrics.described;
}

/** Of what is measured, only whether it exists matters here: nothing reads the values. */
const dependencies = {
  watched: { all: [] },
  currentTrust: () => ({ anchors: [], intermediates: [] }),
  keyring: { phases: [], version: 0 },
  registry: { remote: { certificates: {} } },
  revocations: {},
  crls: { crls: () => [] },
} as unknown as Dependencies;
