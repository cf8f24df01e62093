import { createHash, timingSafeEqual } from 'node:crypto';
import type { HeaderFields } from '../http/header-fields.ts';
import type { PeerCertificate } from './peer-certificate.ts';
import { type ProxyCertificateRule, proxyCertificateViolation, type Untrusted } from './proxy-certificate.ts';
import type { AddressList } from './trusted-addresses.ts';

/** The peer of the connection on which a request was received. */
export type Peer =
  | { readonly kind: 'unix' }
  | { readonly kind: 'address'; readonly address: string }
  /** `now` is the time of the request, in milliseconds since the epoch: the handshake may have been long before. */
  | { readonly kind: 'tls'; readonly address: string; readonly certificate: PeerCertificate; readonly now: number };

/** The header in which the proxy sends `COUNTERSIGN_PROXY_SECRET`. */
export const PROXY_SECRET_HEADER = 'x-countersign-proxy-secret';

/** How the proxy is authenticated. Every condition must hold. */
export interface ProxyTrust {
  readonly trustedAddresses: AddressList;
  /** The SHA-256 of each valid secret: digests have equal lengths, which the comparison needs. Empty: none required. */
  readonly proxySecretDigests: readonly Buffer[];
  /** Empty: the proxy needs no certificate. */
  readonly proxyCertificateRules: readonly ProxyCertificateRule[];
}

/** The form of a proxy secret that {@link untrustedReason} compares. */
export function digestProxySecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Why certificates from this peer are not accepted, or undefined if the peer is the trusted proxy. */
export function untrustedReason(peer: Peer, headers: HeaderFields, trust: ProxyTrust): Untrusted | undefined {
  return (
    addressViolation(peer, trust.trustedAddresses) ??
    certificateViolation(peer, trust.proxyCertificateRules) ??
    secretViolation(headers, trust.proxySecretDigests)
  );
}

/** File permissions protect a Unix socket, so its peers count as trusted addresses. */
function addressViolation(peer: Peer, trusted: AddressList): Untrusted | undefined {
  if (peer.kind === 'unix' || trusted.check(peer.address)) return undefined;
  return { code: 'proxy_untrusted', reason: `the peer ${peer.address} is not in COUNTERSIGN_TRUSTED_PROXIES` };
}

/** A peer can present a certificate only over TLS, and the settings require one only for TLS listeners. */
function certificateViolation(peer: Peer, rules: readonly ProxyCertificateRule[]): Untrusted | undefined {
  if (peer.kind === 'tls') return proxyCertificateViolation(peer.certificate, rules, peer.now);
  return proxyCertificateViolation({ kind: 'none' }, rules, 0);
}

/** The requests whose secret was compared, since each is compared for more than one purpose. */
const compared = new WeakMap<HeaderFields, SecretComparison>();

interface SecretComparison {
  /** Replaced as a whole when the secrets are reloaded. */
  readonly digests: readonly Buffer[];
  readonly violation: Untrusted | undefined;
}

function secretViolation(headers: HeaderFields, digests: readonly Buffer[]): Untrusted | undefined {
  if (digests.length === 0) return undefined;
  const known = compared.get(headers);
  if (known?.digests === digests) return known.violation;
  const violation = compareSecret(headers, digests);
  compared.set(headers, { digests, violation });
  return violation;
}

function compareSecret(headers: HeaderFields, digests: readonly Buffer[]): Untrusted | undefined {
  const [secret, ...repeated] = headers.all(PROXY_SECRET_HEADER);
  if (secret === undefined)
    return missing(`the proxy sent no ${PROXY_SECRET_HEADER}, and COUNTERSIGN_PROXY_SECRET is set`);
  if (repeated.length > 0) return missing(`${PROXY_SECRET_HEADER} is repeated`);
  const candidate = digestProxySecret(secret);
  // All are compared, so that the time taken reveals neither which secret matches nor how closely.
  const matches = digests.map((digest) => timingSafeEqual(candidate, digest));
  if (matches.includes(true)) return undefined;
  const reason = `${PROXY_SECRET_HEADER} does not match COUNTERSIGN_PROXY_SECRET`;
  return { code: 'proxy_secret_mismatch', reason };
}

function missing(reason: string): Untrusted {
  return { code: 'proxy_secret_missing', reason };
}
