import type { RecentExpiries } from '../authentication/recent-expiries.ts';
import type { Metrics, ObservedMetric, Sample } from '../observability/metrics.ts';
import type { CaCertificate } from '../pki/certificate/ca-certificate.ts';
import type { CrlChecker } from '../pki/crl/crl-checker.ts';
import { describeScope } from '../pki/crl/crl-scope.ts';
import type { StoredCrl } from '../pki/crl/crl-store.ts';
import type { TrustStore } from '../pki/path/trust-store.ts';

/** Adds gauges about the CA certificates in use and their CRLs. */
export function addPkiMetrics(metrics: Metrics, currentTrust: () => TrustStore, crls: CrlChecker | undefined): void {
  metrics.addGauge({
    name: 'client_ca_not_after_timestamp_seconds',
    help: 'Expiry of a CA certificate that verifies client certificates, in seconds since the epoch',
    labels: ['role', 'ca', 'public_key_thumbprint'],
    read: () => expirySamples(currentTrust()),
  });
  const gauges = crls ? crlGauges(crls.crls, Date.now) : [];
  for (const gauge of gauges) metrics.addGauge(gauge);
}

/** Adds a gauge about the certificates of clients. No client is a label. */
export function addExpiryMetrics(metrics: Metrics, expiries: Pick<RecentExpiries, 'earliest'>): void {
  metrics.addGauge({
    name: 'client_certificate_earliest_not_after_timestamp_seconds',
    help: 'When the first of the certificates expires that clients were authenticated with in the last day, in seconds since the epoch',
    labels: [],
    read: () => {
      const earliest = expiries.earliest(Date.now());
      return earliest === undefined ? [] : [{ labels: {}, value: earliest / 1_000 }];
    },
  });
}

function expirySamples({ anchors, intermediates }: TrustStore): Sample[] {
  const sampleOf = (role: string, { subjectText, publicKeyThumbprint, notAfter }: CaCertificate) => ({
    labels: { role, ca: subjectText, public_key_thumbprint: publicKeyThumbprint },
    value: notAfter / 1000,
  });
  return [...anchors.map((ca) => sampleOf('anchor', ca)), ...intermediates.map((ca) => sampleOf('intermediate', ca))];
}

const crlLabels = ['ca', 'public_key_thumbprint', 'scope'] as const;

/**
 * The age, expiry and size of each CRL.
 *
 * @param crls the CRLs in use
 * @param now milliseconds since the epoch
 */
function crlGauges(crls: () => readonly StoredCrl[], now: () => number): ObservedMetric[] {
  const eachCrl = (value: (crl: StoredCrl['crl']) => number) => (): Sample[] =>
    crls().map(({ crl, ca, publicKeyThumbprint }) => ({
      labels: { ca, public_key_thumbprint: publicKeyThumbprint, scope: describeScope(crl.scope) },
      value: value(crl),
    }));
  return [
    {
      name: 'crl_age_seconds',
      help: "Time since the CRL's thisUpdate",
      labels: crlLabels,
      read: eachCrl(({ thisUpdate }) => (now() - thisUpdate) / 1000),
    },
    {
      name: 'crl_next_update_timestamp_seconds',
      help: 'nextUpdate of the CRL, when it expires, in seconds since the epoch',
      labels: crlLabels,
      read: eachCrl(({ nextUpdate }) => nextUpdate / 1000),
    },
    {
      name: 'crl_revoked_certificates',
      help: 'Number of revoked certificates on the CRL',
      labels: crlLabels,
      read: eachCrl(({ revoked }) => revoked.size),
    },
    {
      name: 'crl_memory_bytes',
      help: 'Memory used by the serial numbers of the CRL',
      labels: crlLabels,
      read: eachCrl(({ revoked }) => revoked.memory),
    },
  ];
}
