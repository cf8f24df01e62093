/**
 * Which of many clients claim one identity, where there is more than one. Of a claim only numbers are kept, since there
 * may be a million; clients that are named together may yet claim different identities.
 */
export class ClaimTable {
  readonly #first = new Map<number, number>();
  readonly #shared = new Map<number, number[]>();

  add(identityKey: string, owner: number): void {
    const hash = hashOf(identityKey);
    const first = this.#first.get(hash);
    const group = this.#shared.get(hash);
    if (first === undefined) this.#first.set(hash, owner);
    else if (group) group.push(owner);
    else if (first !== owner) this.#shared.set(hash, [first, owner]);
  }

  /** Who seems to claim an identity. */
  ownersOf(identityKey: string): readonly number[] {
    const hash = hashOf(identityKey);
    const first = this.#first.get(hash);
    return this.#shared.get(hash) ?? (first === undefined ? [] : [first]);
  }

  /** Owners, in the order in which they came, that seem to claim one identity. */
  shared(): IterableIterator<readonly number[]> {
    return this.#shared.values();
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
