import { loadTrustStore, type TrustStore } from '../pki/path/trust-store.ts';
import type { Settings } from './settings.ts';

/** Where the authorities of the clients' certificates are, and what is there at start. */
export interface ClientCa {
  readonly path: string;
  readonly store: TrustStore;
}

/** Reads `COUNTERSIGN_CLIENT_CA_FILE`; undefined where it is not set. Faults are collected in the settings. */
export function readClientCa(settings: Settings): ClientCa | undefined {
  return settings.optional('CLIENT_CA_FILE', (path) => {
    try {
      return { path, store: loadTrustStore(path) };
    } catch (error) {
      throw new RangeError(`names ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}
