import { createHash, timingSafeEqual } from 'node:crypto';
import { type BlockList, isIP, isIPv6 } from 'node:net';
import { type ProxyCertificateRule, proxyCertificateFault } from './proxy-certificate.ts';
import { type RawHeaders, valuesOf } from './raw-headers.ts';
import type { ShownCertificate } from './shown-certificate.ts';

/** Who is at the other end of the connection that a request came on. */
export type Peer =
  | { readonly kind: 'unix' }
  | { readonly kind: 'address'; readonly address: string }
  /** `now`, in milliseconds since the epoch, is when the request came: later than the handshake. */
  | { readonly kind: 'tls'; readonly address: string; readonly certificate: ShownCertificate; readonly now: number };

/** The field in which the proxy shows `COUNTERSIGN_PROXY_SECRET`. */
export const PROXY_SECRET_HEADER = 'x-countersign-proxy-secret';

/** What makes a peer the terminator: all that is configured must hold. */
export interface HopTrust {
  readonly trustedProxies: BlockList;
  /** SHA-256 of each secret that is valid, so that both sides of a comparison are of one length. None: none is asked. */
  readonly proxySecretDigests: readonly Buffer[];
  /** None: the proxy needs no certificate of its own. */
  readonly proxyCertificate: readonly ProxyCertificateRule[];
}

/** A shared secret in the form in which {@link distrustReason} compares it. */
export function digestProxySecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Why the peer is not to be believed about a certificate, or undefined where it is. */
export function distrustReason(peer: Peer, headers: RawHeaders, trust: HopTrust): string | undefined {
  return (
    addressFault(peer, trust.trustedProxies) ??
    certificateFault(peer, trust.proxyCertificate) ??
    secretFault(headers, trust.proxySecretDigests)
  );
}

/** A Unix socket is guarded by its file's permissions, so its peers count as trusted addresses. */
function addressFault(peer: Peer, trusted: BlockList): string | undefined {
  if (peer.kind === 'unix' || isTrustedAddress(peer.address, trusted)) return undefined;
  return `the peer ${peer.address} is not in COUNTERSIGN_TRUSTED_PROXIES`;
}

/** A dual-stack listener reports an IPv4 peer as ::ffff:192.0.2.1; a BlockList knows that they are one. */
function isTrustedAddress(address: string, trusted: BlockList): boolean {
  if (isIP(address) === 0) return false;
  return trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Only a TLS connection shows a certificate, and the configuration asks for one on no other. */
function certificateFault(peer: Peer, rules: readonly ProxyCertificateRule[]): string | undefined {
  if (peer.kind === 'tls') return proxyCertificateFault(peer.certificate, rules, peer.now);
  return proxyCertificateFault({ kind: 'none' }, rules, 0);
}

function secretFault(headers: RawHeaders, digests: readonly Buffer[]): string | undefined {
  if (digests.length === 0) return undefined;
  const [shown, ...repeated] = valuesOf(headers, PROXY_SECRET_HEADER);
  if (shown === undefined) return `the proxy sent no ${PROXY_SECRET_HEADER}, and COUNTERSIGN_PROXY_SECRET is set`;
  if (repeated.length > 0) return `${PROXY_SECRET_HEADER} is repeated`;
  const shownDigest = digestProxySecret(shown);
  // All are compared: how long it takes does not tell which one it is, nor how close.
  const matches = digests.map((digest) => timingSafeEqual(shownDigest, digest));
  return matches.includes(true) ? undefined : `${PROXY_SECRET_HEADER} does not match COUNTERSIGN_PROXY_SECRET`;
}
