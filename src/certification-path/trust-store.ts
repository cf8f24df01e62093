import { type AuthorityCertificate, isSelfSigned } from '../pki/certificate/ca-certificate.ts';
import type { DistinguishedName } from '../pki/certificate/names/distinguished-name.ts';

/** The authorities that the operator configured. Swapped whole: what was found with one store does not outlive it. */
export interface TrustStore {
  /** Self-signed certificates, in which paths end. */
  readonly anchors: readonly AuthorityCertificate[];
  /** The others, which paths go through. They are never anchors. */
  readonly intermediates: readonly AuthorityCertificate[];
  /** Anchors, and then intermediates, that are called so. A name that can't be compared is nobody's. */
  named(name: DistinguishedName): readonly AuthorityCertificate[];
  isAnchor(authority: AuthorityCertificate): boolean;
}

/** Certificates that stand there twice count once. */
export function createTrustStore(authorities: readonly AuthorityCertificate[]): TrustStore {
  const distinct = [...new Map(authorities.map((authority) => [authority.thumbprint, authority])).values()];
  const anchors = distinct.filter(isSelfSigned);
  const anchorThumbprints = new Set(anchors.map(({ thumbprint }) => thumbprint));
  const intermediates = distinct.filter(({ thumbprint }) => !anchorThumbprints.has(thumbprint));
  const byName = Map.groupBy([...anchors, ...intermediates], ({ subject }) => subject.canonical);
  return {
    anchors,
    intermediates,
    named: ({ canonical }) => (canonical === undefined ? [] : (byName.get(canonical) ?? [])),
    isAnchor: ({ thumbprint }) => anchorThumbprints.has(thumbprint),
  };
}
