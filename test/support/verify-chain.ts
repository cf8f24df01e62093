import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { buildPaths } from '../../src/pki/path/build-paths.ts';
import { createTrustStore } from '../../src/pki/path/trust-store.ts';
import { type ChainStatus, selectValidPaths } from '../../src/pki/path/verify-chain.ts';

type Der = { readonly der: Uint8Array };

export interface Pki {
  /** The CA certificates that the operator configured. */
  readonly configured: readonly Der[];
  readonly leaf: Der;
  readonly forwarded?: readonly Der[];
}

/**
 * Verifies a client's chain as the server does.
 *
 * @param now milliseconds since the epoch
 */
export function verifyChain({ configured, leaf, forwarded = [] }: Pki, now = Date.now()): ChainStatus {
  const trust = createTrustStore(configured.map(({ der }) => parseCaCertificate(der)));
  const chain = forwarded.map(({ der }) => der);
  return selectValidPaths(buildPaths(parseClientCertificate(leaf.der), chain, trust), now);
}
