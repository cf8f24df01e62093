import type { Metrics, Sample } from '../observability/metrics.ts';
import { type Revocation, revocationGauges } from '../pki/crl/crl-checker.ts';
import type { TrustStore } from '../pki/path/trust-store.ts';

/** Adds what of the authorities can be asked for at `/metrics`. */
export function addAuthorityMetrics(
  metrics: Metrics,
  currentTrust: () => TrustStore,
  revocation: Revocation | undefined,
): void {
  metrics.addGauge({
    name: 'client_ca_not_after_timestamp_seconds',
    help: "When a CA of the clients' certificates expires, seconds since the epoch",
    labels: ['role', 'authority', 'public_key_thumbprint'],
    read: () => expirySamples(currentTrust()),
  });
  const gauges = revocation ? revocationGauges(() => revocation.lists().values(), Date.now) : [];
  for (const gauge of gauges) metrics.addGauge(gauge);
}

function expirySamples({ anchors, intermediates }: TrustStore): Sample[] {
  const sampleOf = (role: string, { subjectText, publicKeyThumbprint, notAfter }: TrustStore['anchors'][number]) => ({
    labels: { role, authority: subjectText, public_key_thumbprint: publicKeyThumbprint },
    value: notAfter / 1000,
  });
  return [
    ...anchors.map((authority) => sampleOf('anchor', authority)),
    ...intermediates.map((authority) => sampleOf('intermediate', authority)),
  ];
}
