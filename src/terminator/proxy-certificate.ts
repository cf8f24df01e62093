import type { InvalidClientCode } from '../reasons/reasons.ts';
import type { PeerCertificate } from './peer-certificate.ts';

/** A condition that the proxy's own certificate must meet. */
export type ProxyCertificateRule =
  /** It is one of these, by `x5t#S256`, regardless of its issuer. */
  | { readonly kind: 'pinned'; readonly thumbprints: ReadonlySet<string> }
  /** It verifies against the listener's CA certificates, and has one of these names, as in {@link PeerCertificate}. */
  | {
      readonly kind: 'named';
      readonly names: ReadonlySet<string>;
      /**
       * The thumbprints of the root certificates that are configured now, once another one has been removed: a connection
       * may have been verified against that one.
       */
      readonly remainingRoots?: ReadonlySet<string> | undefined;
    };

/** Why a peer is not the trusted proxy. */
export interface Untrusted {
  readonly code: InvalidClientCode;
  readonly reason: string;
}

type Certificate = Extract<PeerCertificate, { kind: 'certificate' }>;

/**
 * Why the certificate that the peer presented does not authenticate it as the proxy, or undefined if every rule holds.
 *
 * @param now milliseconds since the epoch: a connection can outlive its certificate
 */
export function proxyCertificateViolation(
  presented: PeerCertificate,
  rules: readonly ProxyCertificateRule[],
  now: number,
): Untrusted | undefined {
  if (rules.length === 0) return undefined;
  if (presented.kind === 'none')
    return { code: 'proxy_certificate_missing', reason: 'the proxy presented no certificate in the TLS handshake' };
  if (presented.kind === 'unacceptable') return rejected(`the proxy certificate ${presented.reason}`);
  const violations = [validityViolation(presented, now), ...rules.map((rule) => ruleViolation(presented, rule))];
  const violation = violations.find((one) => one !== undefined);
  return violation === undefined ? undefined : rejected(`the proxy certificate (${presented.thumbprint}) ${violation}`);
}

function rejected(reason: string): Untrusted {
  return { code: 'proxy_certificate_rejected', reason };
}

/** The last line rejects also where `now` or a date is not a number. */
function validityViolation({ notBefore, notAfter }: Certificate, now: number): string | undefined {
  const endOfLastSecond = notAfter + 999;
  if (notBefore <= now && now <= endOfLastSecond) return undefined;
  if (now < notBefore) return `is not valid before ${new Date(notBefore).toISOString()}`;
  if (now > endOfLastSecond) return `expired at ${new Date(notAfter).toISOString()}`;
  return 'has an invalid validity period';
}

function ruleViolation(certificate: Certificate, rule: ProxyCertificateRule): string | undefined {
  if (rule.kind === 'pinned') {
    if (rule.thumbprints.has(certificate.thumbprint)) return undefined;
    return 'is not in COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS';
  }
  const { chainError, names, issuers } = certificate;
  if (chainError !== undefined) {
    return `does not verify against COUNTERSIGN_PROXY_CA_FILE: ${explainChainError(chainError)}`;
  }
  const { remainingRoots } = rule;
  if (remainingRoots && !issuers.some((issuer) => remainingRoots.has(issuer))) {
    return 'was verified against a CA certificate that COUNTERSIGN_PROXY_CA_FILE no longer contains';
  }
  if (names.some((name) => rule.names.has(name))) return undefined;
  return `is issued for ${describeNames(names)}, but COUNTERSIGN_PROXY_SANS lists none of them`;
}

/** Explains OpenSSL's codes that are not self-explanatory. Node reports `UNSPECIFIED` for a too low security level. */
function explainChainError(code: string): string {
  if (code === 'INVALID_PURPOSE') return `${code}: its extended key usage lacks clientAuth`;
  if (code === 'UNSPECIFIED') return `${code}: a key or signature in its chain is too weak`;
  return code;
}

/** A certificate can contain more names than belong in one log line. */
const MAX_NAMES_LENGTH = 200;

function describeNames(names: readonly string[]): string {
  if (names.length === 0) return 'no DNS name or URI (only subject alternative names count, not the CN)';
  return names.join(', ').slice(0, MAX_NAMES_LENGTH);
}
