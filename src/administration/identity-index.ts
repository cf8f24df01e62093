import type { Client } from '../clients/client.ts';
import { registeredKeys, unregisteredCertificateKeys } from '../clients/registered-identities.ts';

/**
 * Which of many clients, by their numbers, seem to claim one certificate: they are registered by one identity, or one
 * of them by something that the other one's certificate is known by.
 */
export class IdentityIndex {
  readonly #registered = new OwnerIndex();
  readonly #held = new OwnerIndex();

  add(client: Client, owner: number): void {
    for (const key of registeredKeys(client)) this.#registered.add(key, owner);
    for (const key of unregisteredCertificateKeys(client)) this.#held.add(key, owner);
  }

  /** Who seems to claim what a client does that is not one of them. */
  candidates(client: Client): ReadonlySet<number> {
    const keys = registeredKeys(client);
    return new Set([
      ...[...keys, ...unregisteredCertificateKeys(client)].flatMap((key) => this.#registered.ownersOf(key)),
      ...keys.flatMap((key) => this.#held.ownersOf(key)),
    ]);
  }

  /** Who seems to be registered by one identity. */
  sharedRegistrations(): IterableIterator<readonly number[]> {
    return this.#registered.sharedOwners();
  }

  /** Who holds a certificate that is known by something, and who seems to be registered by that. */
  certificateMatches(): Iterable<readonly [holders: readonly number[], registered: readonly number[]]> {
    return this.#held.intersect(this.#registered);
  }
}

/**
 * Which of many clients own a key of an identity. Of a key only a number is kept, since there may be a million; owners
 * that are named together may yet own different keys.
 */
export class OwnerIndex {
  readonly #first = new Map<number, number>();
  readonly #shared = new Map<number, number[]>();

  /** All keys of an owner come before those of the next one. */
  add(identityKey: string, owner: number): void {
    const hash = hashOf(identityKey);
    const first = this.#first.get(hash);
    const group = this.#shared.get(hash);
    if (first === undefined) this.#first.set(hash, owner);
    else if (group && group.at(-1) !== owner) group.push(owner);
    else if (!group && first !== owner) this.#shared.set(hash, [first, owner]);
  }

  /** Who seems to own a key. */
  ownersOf(identityKey: string): readonly number[] {
    return this.#owners(hashOf(identityKey));
  }

  /** Owners, in the order in which they came, that seem to own one key. */
  sharedOwners(): IterableIterator<readonly number[]> {
    return this.#shared.values();
  }

  /** Who owns a key here that seems to have an owner there, too, and who that is: for each such key. */
  *intersect(other: OwnerIndex): Generator<readonly [here: readonly number[], there: readonly number[]]> {
    for (const hash of this.#first.keys()) {
      const there = other.#owners(hash);
      if (there.length > 0) yield [this.#owners(hash), there];
    }
  }

  #owners(hash: number): readonly number[] {
    const first = this.#first.get(hash);
    return this.#shared.get(hash) ?? (first === undefined ? [] : [first]);
  }
}

/** What a key ends with is a digest, of which a part is enough: 48 bits, and some less for its alphabet. */
function hashOf(identityKey: string): number {
  let hash = 0;
  for (let index = identityKey.length - 9; index < identityKey.length - 1; index += 1) {
    hash = hash * 64 + (identityKey.charCodeAt(index) & 0x3f);
  }
  return hash;
}
