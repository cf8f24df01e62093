import type { ShownCertificate } from './shown-certificate.ts';

/** What the proxy's own certificate must be. */
export type ProxyCertificateRule =
  /** One of exactly these, by `x5t#S256`. Whoever signed it does not count. */
  | { readonly kind: 'pinned'; readonly thumbprints: ReadonlySet<string> }
  /** Verified to the listener's authorities, and for one of these names, written as in {@link ShownCertificate}. */
  | { readonly kind: 'named'; readonly names: ReadonlySet<string> };

type Certificate = Extract<ShownCertificate, { kind: 'certificate' }>;

/**
 * Why what the peer showed does not make it the proxy, or undefined where it does: every rule must hold.
 *
 * @param now milliseconds since the epoch: a connection can outlive its certificate
 */
export function proxyCertificateFault(
  shown: ShownCertificate,
  rules: readonly ProxyCertificateRule[],
  now: number,
): string | undefined {
  if (rules.length === 0) return undefined;
  if (shown.kind === 'none') return 'the proxy showed no certificate of its own in the TLS handshake';
  if (shown.kind === 'unacceptable') return `the proxy's own certificate ${shown.reason}`;
  const faults = [validityFault(shown, now), ...rules.map((rule) => ruleFault(shown, rule))];
  const fault = faults.find((one) => one !== undefined);
  return fault === undefined ? undefined : `the proxy's own certificate (${shown.thumbprint}) ${fault}`;
}

function validityFault({ notBefore, notAfter }: Certificate, now: number): string | undefined {
  const wholeLastSecond = notAfter + 999;
  if (notBefore <= now && now <= wholeLastSecond) return undefined;
  if (now < notBefore) return `is not valid before ${new Date(notBefore).toISOString()}`;
  if (now > wholeLastSecond) return `expired at ${new Date(notAfter).toISOString()}`;
  return 'has no period of validity that can be read';
}

function ruleFault(certificate: Certificate, rule: ProxyCertificateRule): string | undefined {
  if (rule.kind === 'pinned') {
    if (rule.thumbprints.has(certificate.thumbprint)) return undefined;
    return 'is not in COUNTERSIGN_PROXY_CERTIFICATE_THUMBPRINTS';
  }
  const { chainFault, names } = certificate;
  if (chainFault !== undefined) return `is not verified to COUNTERSIGN_PROXY_CA_FILE: ${explainChainFault(chainFault)}`;
  if (names.some((name) => rule.names.has(name))) return undefined;
  return `is for ${describeNames(names)}, and COUNTERSIGN_PROXY_NAMES has none of that`;
}

/** OpenSSL's words that do not say it; `UNSPECIFIED` is what Node makes of a fault of its security level. */
function explainChainFault(fault: string): string {
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
