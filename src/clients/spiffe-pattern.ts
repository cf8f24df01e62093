import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { isPathSegment, type SpiffeIdParts, spiffeIdViolation, splitSpiffeId } from '../pki/certificate/spiffe-id.ts';

const WILDCARD = '*';

/** A SPIFFE ID, or a pattern of SPIFFE IDs: `*` stands for exactly one segment of the path, whatever it is. */
export interface SpiffePattern extends SpiffeIdParts {
  readonly text: string;
  /** The bit of each segment that is a wildcard; 0 for a SPIFFE ID. */
  readonly wildcards: number;
  /** How many segments are not wildcards. */
  readonly literals: number;
}

/**
 * How many wildcards a pattern of so many segments may have. A certificate is found by the patterns that it matches, so
 * this bounds them: to 41, with six segments.
 */
function maxWildcards(segments: number): number {
  if (segments <= 6) return 3;
  return segments <= 8 ? 2 : 0;
}

/** @throws {CertificateError} stating what is wrong with the registered text */
export function parseSpiffePattern(text: string): SpiffePattern {
  const violation = spiffeIdViolation(text, (segment) => segment === WILDCARD || isPathSegment(segment));
  if (violation !== undefined) throw new CertificateError(`${violation}; expected ${EXAMPLE}`);
  const parts = splitSpiffeId(text);
  const { segments } = parts;
  const positions = segments.flatMap((segment, index) => (segment === WILDCARD ? [index] : []));
  const allowed = maxWildcards(segments.length);
  if (positions.length > allowed) throw new CertificateError(tooManyWildcards(segments.length, allowed));
  return { text, ...parts, wildcards: maskOf(positions), literals: segments.length - positions.length };
}

const EXAMPLE = 'a SPIFFE ID such as spiffe://prod.example/ns/shop/sa/billing, in which * can be a whole segment';

function tooManyWildcards(segments: number, allowed: number): string {
  if (allowed === 0) return `has a wildcard in a path of ${segments} segments; at most 8 are possible with a wildcard`;
  return `has more wildcards than are possible in a path of ${segments} segments: at most ${allowed}`;
}

export function isExact({ wildcards }: SpiffePattern): boolean {
  return wildcards === 0;
}

/** The specificity of an exact URI: it precedes every pattern. */
export const EXACT = Number.POSITIVE_INFINITY;

/** The number of literal segments: a pattern precedes those with fewer. */
export function specificityOf(pattern: SpiffePattern): number {
  return isExact(pattern) ? EXACT : pattern.literals;
}

/** @param spiffeId a valid one */
export function matchesPattern(spiffeId: string, pattern: SpiffePattern): boolean {
  if (isExact(pattern)) return spiffeId === pattern.text;
  const { trustDomain, segments } = splitSpiffeId(spiffeId);
  if (trustDomain !== pattern.trustDomain || segments.length !== pattern.segments.length) return false;
  return pattern.segments.every((segment, index) => segment === WILDCARD || segment === segments[index]);
}

/**
 * Every pattern with a wildcard that a SPIFFE ID matches and that a client can be registered by; at most 41.
 *
 * @param spiffeId a valid one
 */
export function patternsOf(spiffeId: string): string[] {
  const parts = splitSpiffeId(spiffeId);
  const count = parts.segments.length;
  const allowed = maxWildcards(count);
  if (allowed === 0) return [];
  const masks = Array.from({ length: 2 ** count - 1 }, (_, index) => index + 1);
  return masks.filter((mask) => bitsIn(mask) <= allowed).map((mask) => generalize(parts, mask));
}

/**
 * The SPIFFE IDs that match both of two equally specific patterns, so that none has precedence: as a pattern, or the one
 * ID. Undefined if there is none.
 */
export function overlapOf(one: SpiffePattern, other: SpiffePattern): string | undefined {
  if (one.trustDomain !== other.trustDomain || one.literals !== other.literals) return undefined;
  if (one.segments.length !== other.segments.length) return undefined;
  const wildcards = one.wildcards | other.wildcards;
  if (generalize(one, wildcards) !== generalize(other, wildcards)) return undefined;
  const segments = one.segments.map((segment, index) =>
    segment === WILDCARD ? (other.segments[index] ?? '') : segment,
  );
  return generalize({ trustDomain: one.trustDomain, segments }, 0);
}

/** The text of a pattern, or ID, in which these segments are wildcards as well. */
export function generalize({ trustDomain, segments }: SpiffeIdParts, wildcards: number): string {
  const generalized = segments.map((segment, index) => ((wildcards >> index) & 1 ? WILDCARD : segment));
  return `spiffe://${trustDomain}/${generalized.join('/')}`;
}

function maskOf(positions: readonly number[]): number {
  return positions.reduce((mask, position) => mask | (1 << position), 0);
}

function bitsIn(mask: number): number {
  return mask === 0 ? 0 : (mask & 1) + bitsIn(mask >> 1);
}
