import type { Log } from '../observability/log.ts';
import { caFiles, createTrustStore, loadTrustStore, type TrustStore } from '../pki/path/trust-store.ts';
import type { ClientCa } from '../settings/client-ca.ts';
import { watchFiles } from '../watch-files.ts';

export interface WatchedTrustStore {
  current(): TrustStore;
  stop(): void;
}

/**
 * Reloads the client CA certificates when their files change, and replaces the trust store as a whole. If the files are
 * missing or invalid, the previous trust store stays in use and the problem is logged.
 */
export function watchClientCa(clientCa: ClientCa | undefined, log: Log, onChange: () => void): WatchedTrustStore {
  if (!clientCa) return { current: () => emptyTrustStore, stop: () => {} };
  const { path } = clientCa;
  let { store } = clientCa;
  logCaCertificates(store, log);
  const reload = () => {
    let unread: readonly string[];
    try {
      ({ store, unread } = loadTrustStore(path));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `cannot reload the CA certificates of ${path}: ${reason}; the previous ones stay in use`;
      log.error({ event: 'client_ca_reload_failed', reason }, message);
      return;
    }
    log.info({ event: 'client_ca_reloaded' }, `reloaded the CA certificates of ${path}`);
    for (const part of unread) log.warn({ event: 'client_ca_warning' }, part);
    logCaCertificates(store, log);
    onChange();
  };
  const watch = watchFiles({ list: () => caFiles(path), onChange: reload });
  return { current: () => store, stop: watch.stop };
}

const emptyTrustStore = createTrustStore([]);

function logCaCertificates({ anchors, intermediates }: TrustStore, log: Log): void {
  const entries = [
    ...anchors.map((ca) => ['anchor', ca] as const),
    ...intermediates.map((ca) => ['intermediate', ca] as const),
  ];
  for (const [role, { subjectText: subject, publicKeyThumbprint, notAfter }] of entries) {
    const end = new Date(notAfter).toISOString();
    const isExpired = notAfter < Date.now();
    const fields = { event: 'client_ca', role, subject, public_key_thumbprint: publicKeyThumbprint, not_after: end };
    const message = `${role} "${subject}", key ${publicKeyThumbprint}, ${isExpired ? 'EXPIRED' : 'valid until'} ${end}`;
    if (isExpired) log.warn(fields, message);
    else log.info(fields, message);
  }
}
