import { splitSpiffeId } from '../pki/certificate/spiffe-id.ts';
import { generalize, type SpiffePattern } from './spiffe-pattern.ts';

/**
 * Finds, among many SPIFFE IDs and patterns, those that overlap with another one: a SPIFFE ID matches both, and they are
 * equally specific, so that none has precedence. Such patterns have the same trust domain, length and number of literal
 * segments, and are equal in the segments that are literal in both.
 */
export class PatternIndex<Owner> {
  /** By what is the same in all overlapping patterns, then by the positions of their wildcards. */
  readonly #shapes = new Map<string, Map<number, SimilarPatterns<Owner>>>();

  add(pattern: SpiffePattern, owner: Owner): void {
    const shape = shapeOf(pattern);
    const similar = this.#shapes.get(shape) ?? new Map<number, SimilarPatterns<Owner>>();
    this.#shapes.set(shape, similar);
    const { wildcards, text } = pattern;
    const patterns = similar.get(wildcards) ?? new SimilarPatterns<Owner>(wildcards);
    similar.set(wildcards, patterns);
    patterns.add(text, owner);
  }

  /** The owners of patterns that overlap with this one, or are equal to it. */
  overlapping(pattern: SpiffePattern): Owner[] {
    const similar = this.#shapes.get(shapeOf(pattern))?.values() ?? [];
    return [...similar].flatMap((patterns) => patterns.overlapping(pattern));
  }
}

function shapeOf({ trustDomain, segments, literals }: SpiffePattern): string {
  return `${literals}/${segments.length}/${trustDomain}`;
}

/** Patterns with wildcards in the same positions. There may be a million without any, so only their texts are held. */
class SimilarPatterns<Owner> {
  readonly #wildcards: number;
  /** By the wildcards of another pattern and of these: the owners by generalized text. Few combinations occur. */
  readonly #owners = new Map<number, Map<string, Owner[]>>();
  readonly #exact = new Map<string, Owner[]>();

  constructor(wildcards: number) {
    this.#wildcards = wildcards;
    this.#owners.set(wildcards, this.#exact);
  }

  add(text: string, owner: Owner): void {
    for (const [wildcards, owners] of this.#owners) addOwner(owners, generalize(splitSpiffeId(text), wildcards), owner);
  }

  overlapping(pattern: SpiffePattern): readonly Owner[] {
    const wildcards = this.#wildcards | pattern.wildcards;
    const known = this.#owners.get(wildcards) ?? this.#generalizeAll(wildcards);
    return known.get(generalize(pattern, wildcards)) ?? [];
  }

  #generalizeAll(wildcards: number): Map<string, Owner[]> {
    const generalized = new Map<string, Owner[]>();
    for (const [text, owners] of this.#exact) {
      const parts = splitSpiffeId(text);
      for (const owner of owners) addOwner(generalized, generalize(parts, wildcards), owner);
    }
    this.#owners.set(wildcards, generalized);
    return generalized;
  }
}

function addOwner<Owner>(owners: Map<string, Owner[]>, text: string, owner: Owner): void {
  const group = owners.get(text);
  if (group) group.push(owner);
  else owners.set(text, [owner]);
}
