/** Its limits, in bytes: SPIFFE-ID §2.3 requires support for so many, and a longer ID should not exist. */
const MAX_LENGTH = 2048;
const MAX_TRUST_DOMAIN_LENGTH = 255;

const SCHEME = 'spiffe://';

/** The parts of a SPIFFE ID, `spiffe://{trust domain}/{segment}/{segment}`. */
export interface SpiffeIdParts {
  readonly trustDomain: string;
  readonly segments: readonly string[];
}

/** Splits what {@link spiffeIdViolation} has no objection to. */
export function splitSpiffeId(text: string): SpiffeIdParts {
  const [trustDomain = '', ...segments] = text.slice(SCHEME.length).split('/');
  return { trustDomain, segments };
}

/**
 * Why a text is not the SPIFFE ID of a workload (SPIFFE-ID §2, X509-SVID §5.2), as the predicate of a sentence. The
 * standard gives each ID one spelling, so two texts are the same ID only if they are equal.
 *
 * @param isSegment which segments a path may have: those of the standard by default
 */
export function spiffeIdViolation(text: string, isSegment = isPathSegment): string | undefined {
  if (text.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} bytes (SPIFFE-ID §2.3)`;
  if (!text.startsWith(SCHEME)) return schemeViolation(text);
  if (text.includes('%')) return 'contains percent-encoding, which no SPIFFE ID has (SPIFFE-ID §2.1, §2.2)';
  if (/[?#]/.test(text)) return 'has a query or a fragment, which no SPIFFE ID has (SPIFFE-ID §2)';
  const { trustDomain, segments } = splitSpiffeId(text);
  return trustDomainViolation(trustDomain) ?? pathViolation(segments, isSegment);
}

/** Whether a path of a SPIFFE ID may have this segment (SPIFFE-ID §2.2). */
export function isPathSegment(segment: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(segment) && segment !== '.' && segment !== '..';
}

function schemeViolation(text: string): string {
  if (/^spiffe:\/\//i.test(text)) return 'has a scheme that is not in lower case; expected spiffe://';
  return 'does not start with spiffe://';
}

function trustDomainViolation(trustDomain: string): string | undefined {
  if (trustDomain === '') return 'has no trust domain (SPIFFE-ID §2)';
  if (trustDomain.length > MAX_TRUST_DOMAIN_LENGTH) {
    return `has a trust domain of more than ${MAX_TRUST_DOMAIN_LENGTH} bytes (SPIFFE-ID §2.3)`;
  }
  if (trustDomain.includes('@')) return 'has user information before the trust domain (SPIFFE-ID §2.1)';
  if (trustDomain.includes(':')) return 'has a port, or a colon, in the trust domain (SPIFFE-ID §2.1)';
  if (/[A-Z]/.test(trustDomain)) return 'has a trust domain that is not in lower case (SPIFFE-ID §2.1)';
  if (trustDomain.includes('*')) return 'has a wildcard in the trust domain, which a pin ties to its CA; name it';
  if (/^[a-z0-9._-]+$/.test(trustDomain)) return undefined;
  return 'has a trust domain with characters other than a-z, 0-9, ".", "-" and "_" (SPIFFE-ID §2.1)';
}

function pathViolation(segments: readonly string[], isSegment: (segment: string) => boolean): string | undefined {
  if (segments.join('') === '' && segments.length < 2) {
    return 'has no path: it names a trust domain, which all of its workloads share (X509-SVID §5.2)';
  }
  if (segments.at(-1) === '') return 'ends with a slash (SPIFFE-ID §2.2)';
  const invalid = segments.find((segment) => !isSegment(segment));
  if (invalid === undefined) return undefined;
  if (invalid === '') return 'has an empty path segment (SPIFFE-ID §2.2)';
  if (invalid === '.' || invalid === '..') return `has the path segment "${invalid}" (SPIFFE-ID §2.2)`;
  if (invalid.includes('*')) return 'has a wildcard that is part of a path segment; it stands for a whole one';
  return 'has a path segment with characters other than letters, digits, ".", "-" and "_" (SPIFFE-ID §2.2)';
}
