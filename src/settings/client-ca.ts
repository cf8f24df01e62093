import { caFiles, loadTrustStore, type TrustStore } from '../pki/path/trust-store.ts';
import { filesState } from '../watch/watch-files.ts';
import { oneOf } from './parsers.ts';
import { defineSettings, type Warn } from './setting.ts';
import type { Settings } from './settings.ts';

/** Who can be declared to verify chains: this server, or as an explicit step down another party. */
const verifierNames = ['countersign', 'header', 'terminator'] as const;
export type VerifierName = (typeof verifierNames)[number];

export const chainSettings = defineSettings('Client certificates', {
  CLIENT_CA_FILE: {
    parse: readClientCaFile,
    description: 'CA certificates for client certificates: a bundle or a folder',
    details:
      'Self-signed certificates are trust anchors, others intermediates. Watched for changes. See [chains.md](chains.md).',
    defaultDescription: 'none; `tls_client_auth` is unavailable',
  },
  CHAIN_VERIFIED_BY: {
    parse: oneOf(verifierNames),
    description: 'who verifies the chains of `tls_client_auth`',
    details:
      '`countersign`: this server, against `COUNTERSIGN_CLIENT_CA_FILE`. Less secure: `header`, the verification header ' +
      'next to the certificate; or `terminator`, which you declare to admit only verified certificates, at the edge as well. ' +
      'If the format has a verification header, it must report success in each case.',
    defaultDescription: '`countersign`',
  },
});

/** The CA certificates for client certificates, as they are at startup. */
export interface ClientCa {
  readonly path: string;
  readonly store: TrustStore;
  /** Of the files, from before they were loaded, by {@link filesState}. */
  readonly state: string;
}

/** Reads `COUNTERSIGN_CLIENT_CA_FILE`; undefined if it is not set. Problems are collected in `settings`. */
export function readClientCa(settings: Settings): ClientCa | undefined {
  return settings.read(chainSettings.CLIENT_CA_FILE);
}

function readClientCaFile(path: string, warn: Warn): ClientCa {
  const state = filesState(() => caFiles(path));
  const { store, unread } = loadTrustStore(path);
  for (const part of unread) warn(part);
  return { path, store, state };
}
