import type { Client } from '../clients/client.ts';
import { spiffePatternOf } from '../clients/methods/methods.ts';
import { PatternIndex } from '../clients/pattern-index.ts';
import { registeredKeys, unregisteredCertificateKeys } from '../clients/registered-identities.ts';
import { isExact } from '../clients/spiffe-pattern.ts';

/**
 * Finds, among many clients, those that one certificate may match: two are registered by the same identity, or by
 * overlapping patterns, or one is registered by another identity of a certificate that the other's record contains. Results are candidates, because
 * keys are compared by their hash.
 */
export class IdentityIndex {
  readonly #registered = new OwnerIndex();
  /** Further identities of the certificates that records contain. */
  readonly #ofCertificates = new OwnerIndex();
  readonly #patterns = new PatternIndex<number>();

  /** @param owner a number for the client, higher than those before */
  add(client: Client, owner: number): void {
    for (const key of registeredKeys(client)) this.#registered.add(key, owner);
    for (const key of unregisteredCertificateKeys(client)) this.#ofCertificates.add(key, owner);
    const pattern = spiffePatternOf(client.registrations);
    // Equal SPIFFE IDs have the same key.
    if (pattern && !isExact(pattern)) this.#patterns.add(pattern, owner);
  }

  /** The owners that may conflict with a client that is not in the index. */
  candidates(client: Client): ReadonlySet<number> {
    const keys = registeredKeys(client);
    const pattern = spiffePatternOf(client.registrations);
    return new Set([
      ...[...keys, ...unregisteredCertificateKeys(client)].flatMap((key) => this.#registered.ownersOf(key)),
      ...keys.flatMap((key) => this.#ofCertificates.ownersOf(key)),
      ...(pattern ? this.#patterns.overlapping(pattern) : []),
    ]);
  }

  /** Groups of owners that may be registered by the same identity. */
  sharedRegistrations(): IterableIterator<readonly number[]> {
    return this.#registered.sharedOwners();
  }

  /** For an identity of a certificate: the owners whose records contain it, and those that may be registered by it. */
  certificateMatches(): Iterable<readonly [certificateOwners: readonly number[], registeredOwners: readonly number[]]> {
    return this.#ofCertificates.intersect(this.#registered);
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

  ownersOf(identityKey: string): readonly number[] {
    return this.#ownersOfHash(hashOf(identityKey));
  }

  /** Groups of two and more owners of the same key, in the order in which they were added. */
  sharedOwners(): IterableIterator<readonly number[]> {
    return this.#sharedOwners.values();
  }

  /** The owners here and there of each key that both indexes have. */
  *intersect(other: OwnerIndex): Generator<readonly [here: readonly number[], there: readonly number[]]> {
    for (const hash of this.#firstOwners.keys()) {
      const there = other.#ownersOfHash(hash);
      if (there.length > 0) yield [this.#ownersOfHash(hash), there];
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
