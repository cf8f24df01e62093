import type { Client } from '../client.ts';
import { spiffePatternOf } from '../methods/methods.ts';
import { PatternIndex } from '../pattern-index.ts';
import { registeredKeys, unregisteredCertificateKeys } from '../registered-identities.ts';
import { isExact, overlapOf, parseSpiffePattern, type SpiffePattern } from '../spiffe-pattern.ts';

/** Owners that one certificate may match, by one identity. */
interface OwnerGroup {
  readonly owners: readonly number[];
  /** Whether an identity may be the one of the group: keys are compared by their hash. */
  readonly mayHave: (identityKey: string) => boolean;
}

/** Owners of patterns that a SPIFFE ID matches, none of which has precedence. */
interface PatternGroup {
  /** The IDs that match: a pattern, or one ID. */
  readonly both: string;
  /** By pattern, of which there are two or more. */
  readonly owners: ReadonlyMap<string, readonly number[]>;
}

/** Others are not looked for: each of a million patterns can overlap with each of a million others. */
const MAX_OVERLAPS = 1_000;

/**
 * Finds, among many clients, those that one certificate may match: they are registered by the same identity, or by
 * overlapping patterns, or some by another identity of a certificate that the records of others contain. Results are
 * candidates, because keys are compared by their hash.
 */
export class IdentityIndex {
  readonly #registered = new OwnerIndex();
  /** Further identities of the certificates that records contain. */
  readonly #ofCertificates = new OwnerIndex();
  /** The patterns with wildcards, each once. Equal SPIFFE IDs have the same key. */
  readonly #patterns = new PatternIndex<string>();
  readonly #patternOwners = new Map<string, number[]>();
  /** By what they have in common. */
  readonly #overlaps = new Map<string, Set<string>>();

  /** @param owner a number for the client, higher than those before */
  add(client: Client, owner: number): void {
    for (const key of registeredKeys(client)) this.#registered.add(key, owner);
    for (const key of unregisteredCertificateKeys(client)) this.#ofCertificates.add(key, owner);
    const pattern = spiffePatternOf(client.registrations);
    if (pattern && !isExact(pattern)) this.#addPattern(pattern, owner);
  }

  #addPattern(pattern: SpiffePattern, owner: number): void {
    const { text } = pattern;
    const owners = this.#patternOwners.get(text);
    if (owners) {
      owners.push(owner);
      return;
    }
    this.#patternOwners.set(text, [owner]);
    for (const other of this.#overlaps.size < MAX_OVERLAPS ? this.#patterns.overlapping(pattern) : []) {
      const both = overlapOf(pattern, parseSpiffePattern(other)) ?? text;
      const texts = this.#overlaps.get(both) ?? new Set([other]);
      this.#overlaps.set(both, texts.add(other).add(text));
    }
    this.#patterns.add(pattern, text);
  }

  /** Whether a client that is not in the index may share an identity with one that is. */
  hasCandidates(client: Client): boolean {
    const keys = registeredKeys(client);
    const pattern = spiffePatternOf(client.registrations);
    return (
      [...keys, ...unregisteredCertificateKeys(client)].some((key) => this.#registered.has(key)) ||
      keys.some((key) => this.#ofCertificates.has(key)) ||
      (pattern !== undefined && this.#patterns.overlapping(pattern).length > 0)
    );
  }

  /** Those of two and more owners that may be registered by an identity, or have a certificate with it. */
  groups(): Iterable<OwnerGroup> {
    return this.#registered.groupsWith(this.#ofCertificates);
  }

  *patternGroups(): Generator<PatternGroup> {
    for (const [both, texts] of this.#overlaps)
      yield { both, owners: new Map([...texts].map((text) => [text, this.#patternOwners.get(text) ?? []])) };
  }
}

/**
 * Which of many clients own an identity key. Keys are reduced to a number to save memory, since there may be a million:
 * owners in one group may still own different keys.
 */
export class OwnerIndex {
  readonly #firstOwners = new Map<number, number>();
  readonly #sharedOwners = new Map<number, number[]>();

  /** Add all keys of an owner before those of the next one. */
  add(identityKey: string, owner: number): void {
    const hash = hashOf(identityKey);
    const first = this.#firstOwners.get(hash);
    const group = this.#sharedOwners.get(hash);
    if (first === undefined) this.#firstOwners.set(hash, owner);
    else if (group && group.at(-1) !== owner) group.push(owner);
    else if (!group && first !== owner) this.#sharedOwners.set(hash, [first, owner]);
  }

  has(identityKey: string): boolean {
    return this.#firstOwners.has(hashOf(identityKey));
  }

  /** Groups of two and more owners of the same key here, or here and there: sorted, in the order of their first keys. */
  *groupsWith(others: OwnerIndex): Generator<OwnerGroup> {
    for (const [hash, first] of this.#firstOwners) {
      if (!this.#sharedOwners.has(hash) && !others.#firstOwners.has(hash)) continue;
      const here = this.#sharedOwners.get(hash) ?? [first];
      const owners = [...new Set([...here, ...others.#ownersOfHash(hash)])].sort((one, other) => one - other);
      if (owners.length > 1) yield { owners, mayHave: (identityKey) => hashOf(identityKey) === hash };
    }
  }

  #ownersOfHash(hash: number): readonly number[] {
    const first = this.#firstOwners.get(hash);
    return this.#sharedOwners.get(hash) ?? (first === undefined ? [] : [first]);
  }
}

/** Keys end in a digest, of which 48 bits are enough (somewhat fewer, due to its alphabet). */
function hashOf(identityKey: string): number {
  let hash = 0;
  for (let index = identityKey.length - 9; index < identityKey.length - 1; index += 1) {
    hash = hash * 64 + (identityKey.charCodeAt(index) & 0x3f);
  }
  return hash;
}
