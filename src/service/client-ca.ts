import type { Log } from '../observability/log.ts';
import type { Metrics, Sample } from '../observability/metrics.ts';
import { type CrlChecker, crlGauges } from '../pki/crl/crl-checker.ts';
import { caFiles, createTrustStore, loadTrustStore, type TrustStore } from '../pki/path/trust-store.ts';
import type { ClientCa } from '../settings/client-ca.ts';
import { watchFiles } from '../watch-files.ts';

/** The store of this moment. */
export interface WatchedTrust {
  current(): TrustStore;
  stop(): void;
}

/**
 * Reads the authorities again when their files change, and swaps the store whole. Files that cannot be read, or hold
 * what cannot be used, change nothing, and the log says so.
 */
export function watchClientCa(clientCa: ClientCa | undefined, log: Log, onChange: () => void): WatchedTrust {
  if (!clientCa) return { current: () => nobody, stop: () => {} };
  const { path } = clientCa;
  let { store } = clientCa;
  logCaCertificates(store, log);
  const reload = () => {
    try {
      store = loadTrustStore(path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ event: 'client_ca_reload_failed', reason }, `the CAs of ${path} stay as they were: ${reason}`);
      return;
    }
    log.info({ event: 'client_ca_reloaded' }, `the CAs of ${path} were read again`);
    logCaCertificates(store, log);
    onChange();
  };
  const watch = watchFiles({ list: () => caFiles(path), onChange: reload });
  return { current: () => store, stop: watch.stop };
}

const nobody = createTrustStore([]);

function logCaCertificates({ anchors, intermediates }: TrustStore, log: Log): void {
  const entries = [
    ...anchors.map((ca) => ['anchor', ca] as const),
    ...intermediates.map((ca) => ['intermediate', ca] as const),
  ];
  for (const [role, { subjectText: subject, publicKeyThumbprint, notAfter }] of entries) {
    const end = new Date(notAfter).toISOString();
    const isOver = notAfter < Date.now();
    const fields = { event: 'client_ca', role, subject, public_key_thumbprint: publicKeyThumbprint, not_after: end };
    const message = `${role} "${subject}", key ${publicKeyThumbprint}, ${isOver ? 'EXPIRED' : 'valid until'} ${end}`;
    if (isOver) log.warn(fields, message);
    else log.info(fields, message);
  }
}

/** Adds what of the authorities can be asked for at `/metrics`. */
export function addCaMetrics(metrics: Metrics, currentTrust: () => TrustStore, crls: CrlChecker | undefined): void {
  metrics.addGauge({
    name: 'client_ca_not_after_timestamp_seconds',
    help: "When a CA of the clients' certificates expires, seconds since the epoch",
    labels: ['role', 'ca', 'public_key_thumbprint'],
    read: () => expirySamples(currentTrust()),
  });
  const gauges = crls ? crlGauges(() => crls.crls().values(), Date.now) : [];
  for (const gauge of gauges) metrics.addGauge(gauge);
}

function expirySamples({ anchors, intermediates }: TrustStore): Sample[] {
  const sampleOf = (role: string, { subjectText, publicKeyThumbprint, notAfter }: TrustStore['anchors'][number]) => ({
    labels: { role, ca: subjectText, public_key_thumbprint: publicKeyThumbprint },
    value: notAfter / 1000,
  });
  return [
    ...anchors.map((authority) => sampleOf('anchor', authority)),
    ...intermediates.map((authority) => sampleOf('intermediate', authority)),
  ];
}
