import type { Client } from '../clients/client.ts';
import { keysOfClaims, keysOfHeldCertificates } from '../clients/registered-identities.ts';
import { OwnerTable } from './owner-table.ts';

/**
 * Which of many clients, by their numbers, seem to claim one certificate: they are registered by one identity, or one
 * of them by something that the other one's certificate is known by.
 */
export class ClaimTable {
  readonly #registered = new OwnerTable();
  readonly #held = new OwnerTable();

  add(client: Client, owner: number): void {
    for (const key of keysOfClaims(client)) this.#registered.add(key, owner);
    for (const key of keysOfHeldCertificates(client)) this.#held.add(key, owner);
  }

  /** Who seems to claim what a client does that is not one of them. */
  rivalsOf(client: Client): ReadonlySet<number> {
    const keys = keysOfClaims(client);
    return new Set([
      ...[...keys, ...keysOfHeldCertificates(client)].flatMap((key) => this.#registered.ownersOf(key)),
      ...keys.flatMap((key) => this.#held.ownersOf(key)),
    ]);
  }

  /** Who seems to be registered by one identity. */
  registeredAlike(): IterableIterator<readonly number[]> {
    return this.#registered.shared();
  }

  /** Who holds a certificate that is known by something, and who seems to be registered by that. */
  heldAndRegistered(): Iterable<readonly [holders: readonly number[], registered: readonly number[]]> {
    return this.#held.sharedWith(this.#registered);
  }
}
