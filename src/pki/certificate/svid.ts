import type { BasicConstraints, KeyUsage } from './extensions.ts';
import { spiffeIdViolation } from './spiffe-id.ts';
import type { OtherNames } from './subject-alternative-names.ts';

/** The workload that a certificate identifies, or why it is not the X509-SVID of one. */
export type Svid =
  | { readonly spiffeId: string }
  /** A clause about the certificate. */
  | { readonly spiffeId: undefined; readonly reason: string };

/** The alternative names that matter. */
interface SvidNames {
  /** The well-formed URIs, as they are in the certificate. */
  readonly uris: readonly string[];
  readonly otherNames: Pick<OtherNames, 'malformed'>;
}

interface SvidUsage {
  readonly basicConstraints: BasicConstraints;
  readonly keyUsage: KeyUsage | undefined;
}

/** Validates a leaf as X509-SVID §5.2 requires: not a signing certificate, and exactly one URI, which is a SPIFFE ID. */
export function svidOf({ uris, otherNames }: SvidNames, { basicConstraints, keyUsage }: SvidUsage): Svid {
  const [uri, ...others] = uris;
  const malformed = otherNames.malformed.get('uri');
  if (malformed !== undefined) return notAnSvid(`it has ${malformed}`);
  if (uri === undefined) return WITHOUT_URI;
  if (others.length > 0) return notAnSvid(`it has ${uris.length} URIs; an X509-SVID has exactly one`);
  if (basicConstraints.isCa) return notAnSvid('it is a CA certificate');
  const signing = (['keyCertSign', 'cRLSign'] as const).find((usage) => keyUsage?.has(usage));
  if (signing) return notAnSvid(`its key usage includes ${signing}, as that of a signing certificate`);
  const violation = spiffeIdViolation(uri);
  return violation === undefined ? { spiffeId: uri } : notAnSvid(`its URI ${violation}`);
}

const WITHOUT_URI = notAnSvid('it has no URI');

function notAnSvid(reason: string): Svid {
  return { spiffeId: undefined, reason };
}
