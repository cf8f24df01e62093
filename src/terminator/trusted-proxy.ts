import { createHash, timingSafeEqual } from 'node:crypto';
import { type BlockList, isIP, isIPv6 } from 'node:net';
import type { PeerCertificate } from './peer-certificate.ts';
import { type RawHeaders, valuesOf } from './raw-headers.ts';

/** Who is at the other end of the connection that a request came on. */
export type Peer =
  | { readonly kind: 'unix' }
  | { readonly kind: 'address'; readonly address: string }
  /** `now`, in milliseconds since the epoch, is when the request came: later than the handshake. */
  | { readonly kind: 'tls'; readonly address: string; readonly certificate: PeerCertificate; readonly now: number };

/** The field in which the proxy shows `COUNTERSIGN_PROXY_SECRET`. */
export const PROXY_SECRET_HEADER = 'x-countersign-proxy-secret';

/** What makes a peer the terminator: all that is configured must hold. */
export interface ProxyTrust {
  readonly trustedAddresses: BlockList;
  /** SHA-256 of each secret that is valid, so that both sides of a comparison are of one length. None: none is asked. */
  readonly proxySecretDigests: readonly Buffer[];
  /** None: the proxy needs no certificate of its own. */
  readonly proxyCertificateRules: readonly ProxyCertificateRule[];
}

/** A shared secret in the form in which {@link untrustedReason} compares it. */
export function digestProxySecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Why the peer is not to be believed about a certificate, or undefined where it is. */
export function untrustedReason(peer: Peer, headers: RawHeaders, trust: ProxyTrust): string | undefined {
  return (
    addressViolation(peer, trust.trustedAddresses) ??
    certificateViolation(peer, trust.proxyCertificateRules) ??
    secretViolation(headers, trust.proxySecretDigests)
  );
}

/** A Unix socket is guarded by its file's permissions, so its peers count as trusted addresses. */
function addressViolation(peer: Peer, trusted: BlockList): string | undefined {
  if (peer.kind === 'unix' || isTrustedAddress(peer.address, trusted)) return undefined;
  return `the peer ${peer.address} is not in COUNTERSIGN_TRUSTED_PROXIES`;
}

/** A dual-stack listener reports an IPv4 peer as ::ffff:192.0.2.1; a BlockList knows that they are one. */
function isTrustedAddress(address: string, trusted: BlockList): boolean {
  if (isIP(address) === 0) return false;
  return trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Only a TLS connection shows a certificate, and the configuration asks for one on no other. */
function certificateViolation(peer: Peer, rules: readonly ProxyCertificateRule[]): string | undefined {
  if (peer.kind === 'tls') return proxyCertificateViolation(peer.certificate, rules, peer.now);
  return proxyCertificateViolation({ kind: 'none' }, rules, 0);
}

function secretViolation(headers: RawHeaders, digests: readonly Buffer[]): string | undefined {
  if (digests.length === 0) return undefined;
  const [shown, ...repeated] = valuesOf(headers, PROXY_SECRET_HEADER);
  if (shown === undefined) return `the proxy sent no ${PROXY_SECRET_HEADER}, and COUNTERSIGN_PROXY_SECRET is set`;
  if (repeated.length > 0) return `${PROXY_SECRET_HEADER} is repeated`;
  const shownDigest = digestProxySecret(shown);
  // All are compared: how long it takes does not tell which one it is, nor how close.
  const matches = digests.map((digest) => timingSafeEqual(shownDigest, digest));
  return matches.includes(true) ? undefined : `${PROXY_SECRET_HEADER} does not match COUNTERSIGN_PROXY_SECRET`;
}

/** What the proxy's own certificate must be. */
export type ProxyCertificateRule =
  /** One of exactly these, by `x5t#S256`. Whoever signed it does not count. */
  | { readonly kind: 'pinned'; readonly thumbprints: ReadonlySet<string> }
  /** Verified to the listener's authorities, and for one of these names, written as in {@link ShownCertificate}. */
  | { readonly kind: 'named'; readonly names: ReadonlySet<string> };

type Certificate = Extract<PeerCertificate, { kind: 'certificate' }>;

/**
 * Why what the peer showed does not make it the proxy, or undefined where it does: every rule must hold.
 *
 * @param now milliseconds since the epoch: a connection can outlive its certificate
 */
export function proxyCertificateViolation(
  shown: PeerCertificate,
  rules: readonly ProxyCertificateRule[],
  now: number,
): string | undefined {
  if (rules.length === 0) return undefined;
  if (shown.kind === 'none') return 'the proxy showed no certificate of its own in the TLS handshake';
  if (shown.kind === 'unacceptable') return `the proxy's own certificate ${shown.reason}`;
  const faults = [validityViolation(shown, now), ...rules.map((rule) => ruleViolation(shown, rule))];
  const fault = faults.find((one) => one !== undefined);
  return fault === undefined ? undefined : `the proxy's own certificate (${shown.thumbprint}) ${fault}`;
}

function validityViolation({ notBefore, notAfter }: Certificate, now: number): string | undefined {
  const wholeLastSecond = notAfter + 999;
  if (notBefore <= now && now <= wholeLastSecond) return undefined;
  if (now < notBefore) return `is not valid before ${new Date(notBefore).toISOString()}`;
  if (now > wholeLastSecond) return `expired at ${new Date(notAfter).toISOString()}`;
  return 'has no period of validity that can be read';
}

function ruleViolation(certificate: Certificate, rule: ProxyCertificateRule): string | undefined {
  if (rule.kind === 'pinned') {
    if (rule.thumbprints.has(certificate.thumbprint)) return undefined;
    return 'is not in COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS';
  }
  const { chainError, names } = certificate;
  if (chainError !== undefined) return `is not verified to COUNTERSIGN_PROXY_CA_FILE: ${explainChainError(chainError)}`;
  if (names.some((name) => rule.names.has(name))) return undefined;
  return `is for ${describeNames(names)}, and COUNTERSIGN_PROXY_SANS has none of that`;
}

/** OpenSSL's words that do not say it; `UNSPECIFIED` is what Node makes of a fault of its security level. */
function explainChainError(fault: string): string {
  if (fault === 'INVALID_PURPOSE') return `${fault}: its extended key usage lacks clientAuth`;
  if (fault === 'UNSPECIFIED') return `${fault}: a key or a signature of its chain is too weak`;
  return fault;
}

/** A certificate can hold more names than a line of the log should. */
const MAX_SHOWN_CHARACTERS = 200;

function describeNames(names: readonly string[]): string {
  if (names.length === 0) return 'no DNS name and no URI (of its subject alternative names; a CN is not read)';
  return names.join(', ').slice(0, MAX_SHOWN_CHARACTERS);
}
