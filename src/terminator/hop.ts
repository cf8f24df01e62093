import { createHash, timingSafeEqual } from 'node:crypto';
import { type BlockList, isIP, isIPv6 } from 'node:net';
import { type RawHeaders, valuesOf } from './raw-headers.ts';

/** Who is at the other end of the connection that a request came on. */
export type Peer = { readonly kind: 'unix' } | { readonly kind: 'address'; readonly address: string };

/** The field in which the proxy shows `COUNTERSIGN_PROXY_SECRET`. */
export const PROXY_SECRET_HEADER = 'x-countersign-proxy-secret';

/** What makes a peer the terminator: all that is configured must hold. */
export interface HopTrust {
  readonly trustedProxies: BlockList;
  /** SHA-256 of the secret, so that both sides of the comparison are of one length. */
  readonly proxySecretDigest: Buffer | undefined;
}

/** A shared secret in the form in which {@link distrustReason} compares it. */
export function digestProxySecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/**
 * Why the peer is not to be believed about a certificate, or undefined where it is.
 * A Unix socket is guarded by its file's permissions, so its peers count as trusted addresses.
 */
export function distrustReason(peer: Peer, headers: RawHeaders, trust: HopTrust): string | undefined {
  if (peer.kind === 'address' && !isTrustedAddress(peer.address, trust.trustedProxies)) {
    return `the peer ${peer.address} is not in COUNTERSIGN_TRUSTED_PROXIES`;
  }
  if (!trust.proxySecretDigest) return undefined;
  const [shown, ...repeated] = valuesOf(headers, PROXY_SECRET_HEADER);
  if (shown === undefined) return `the proxy sent no ${PROXY_SECRET_HEADER}, and COUNTERSIGN_PROXY_SECRET is set`;
  if (repeated.length > 0) return `${PROXY_SECRET_HEADER} is repeated`;
  if (timingSafeEqual(digestProxySecret(shown), trust.proxySecretDigest)) return undefined;
  return `${PROXY_SECRET_HEADER} does not match COUNTERSIGN_PROXY_SECRET`;
}

const MAPPED_IPV4 = '::ffff:';

function isTrustedAddress(address: string, trusted: BlockList): boolean {
  // A dual-stack listener reports an IPv4 peer as ::ffff:192.0.2.1.
  const plain = address.startsWith(MAPPED_IPV4) ? address.slice(MAPPED_IPV4.length) : address;
  if (isIP(plain) === 0) return false;
  return trusted.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}
