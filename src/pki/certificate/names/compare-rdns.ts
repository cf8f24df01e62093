import { CertificateError } from '../certificate-error.ts';
import { parseDer } from '../der.ts';
import { canonicalName, type EncodedName, type RelativeDistinguishedName } from './distinguished-name.ts';

/**
 * Whether a name starts with the RDNs of another. `unclear` if no RDN differs for certain, but one of them is neither
 * the same bytes nor comparable (a NUL in a value, a character that its string type does not allow, …).
 */
export function startsWithRdns(name: EncodedName, prefix: EncodedName): boolean | 'unclear' {
  if (name.rdns.length < prefix.rdns.length) return false;
  const rdns = comparableRdns(name);
  const results = comparableRdns(prefix).map((rdn, index) => sameRdn(rdns[index], rdn));
  if (results.includes(false)) return false;
  return results.includes('unclear') ? 'unclear' : true;
}

/** An RDN by its bytes, the types of its attributes, and in its canonical form if it has one. */
interface ComparableRdn {
  readonly der: Uint8Array;
  readonly types: string;
  readonly canonical: string | undefined;
}

function sameRdn(a: ComparableRdn | undefined, b: ComparableRdn): boolean | 'unclear' {
  if (!a || a.types !== b.types) return false;
  if (Buffer.compare(a.der, b.der) === 0) return true;
  return a.canonical !== undefined && b.canonical !== undefined ? a.canonical === b.canonical : 'unclear';
}

/** A name is compared with many others, so it is prepared once. */
const prepared = new WeakMap<EncodedName, readonly ComparableRdn[]>();

function comparableRdns(name: EncodedName): readonly ComparableRdn[] {
  const known = prepared.get(name);
  if (known) return known;
  const elements = parseDer(name.encoded).children;
  const rdns = name.rdns.map((rdn, index) => ({
    der: elements[index]?.encoded ?? new Uint8Array(),
    types: rdn
      .map(({ type }) => type)
      .sort()
      .join(),
    canonical: canonicalRdn(rdn),
  }));
  prepared.set(name, rdns);
  return rdns;
}

function canonicalRdn(rdn: RelativeDistinguishedName): string | undefined {
  try {
    return canonicalName([rdn]);
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}
