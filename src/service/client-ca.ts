import { createHash } from 'node:crypto';
import type { Log } from '../observability/log.ts';
import { caFiles, createTrustStore, loadTrustStore, type TrustStore } from '../pki/path/trust-store.ts';
import type { ClientCa } from '../settings/client-ca.ts';
import { counted } from '../text.ts';
import { WatchedValue } from '../watch/watched-file.ts';
import type { WatchedFiles } from './watched-files.ts';

export interface LiveTrustStore {
  /** The one in use. */
  current(): TrustStore;
  /** Resolves when a change of the files that has already happened is in use. */
  refresh(): Promise<void>;
}

/**
 * The trust store of the client CA certificates. It is reloaded when their files change, and replaced as a whole if they
 * contain other certificates than before: the paths to the same ones stay validated.
 *
 * @param onChange called when it has been replaced
 */
export function watchClientCa(
  clientCa: ClientCa | undefined,
  watched: WatchedFiles,
  log: Log,
  onChange: () => void,
): LiveTrustStore {
  if (!clientCa) return { current: () => emptyTrustStore, refresh: async () => {} };
  const { path, store: value, state } = clientCa;
  logCaCertificates(value, log);
  const load = (previous = value) => {
    const { store, unread } = loadTrustStore(path);
    for (const part of unread) log.warn({ event: 'client_ca_warning' }, part);
    return digest(store) === digest(previous) ? previous : store;
  };
  const isSame = (store: TrustStore, previous: TrustStore) => store === previous;
  const onReloaded = (store: TrustStore, previous: TrustStore) => {
    if (!isSame(store, previous)) onChange();
  };
  const list = () => caFiles(path);
  const logDetails = (store: TrustStore) => logCaCertificates(store, log);
  const file = new WatchedValue(
    {
      ...{ name: 'client_ca', paths: [path], list, load, onReloaded, isSame },
      ...{ describe, logDetails, notAfter, digest, log },
    },
    { value, state },
  );
  watched.add(file);
  return { current: () => file.current, refresh: () => file.refresh() };
}

function describe({ anchors, intermediates }: TrustStore) {
  return { summary: `${counted(anchors.length, 'anchor')}, ${counted(intermediates.length, 'intermediate')}` };
}

function notAfter({ anchors, intermediates }: TrustStore): number {
  return Math.min(...[...anchors, ...intermediates].map((ca) => ca.notAfter));
}

/** Neither the order of the certificates nor the names of their files matter. */
function digest({ anchors, intermediates }: TrustStore): string {
  const thumbprints = [...anchors, ...intermediates].map(({ thumbprint }) => thumbprint);
  return createHash('sha256').update(thumbprints.sort().join()).digest('hex');
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
