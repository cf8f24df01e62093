import { BoundedList } from './bounded-list.ts';
import type { Comparison } from './comparison.ts';
import { type Circumstances, type Claimant, conflictOf } from './conflict.ts';
import type { DesiredClients } from './desired-clients.ts';

/**
 * Finds the clients of the files that claim one certificate, with each other or with one that stays in Redis. A client
 * that is changed by the files counts as it will be.
 *
 * @throws {AdministrationError} where Redis fails
 */
export async function findConflicts(
  comparison: Comparison,
  desired: DesiredClients,
  circumstances: Circumstances,
): Promise<BoundedList> {
  const search = new ConflictSearch(comparison, desired, circumstances);
  await search.amongRegisteredAlike();
  await search.withHeldCertificates();
  await search.withOthers();
  return search.conflicts;
}

/** Who conflicts with one is not compared with the others: for a million of one name that would never end. */
class ConflictSearch {
  readonly conflicts = new BoundedList();
  readonly #comparison: Comparison;
  readonly #desired: DesiredClients;
  readonly #circumstances: Circumstances;

  constructor(comparison: Comparison, desired: DesiredClients, circumstances: Circumstances) {
    this.#comparison = comparison;
    this.#desired = desired;
    this.#circumstances = circumstances;
  }

  async amongRegisteredAlike(): Promise<void> {
    for (const group of this.#comparison.claims.registeredAlike()) {
      const compared: Claimant[] = [];
      for (const index of group) {
        const one = await this.#claimant(index);
        if (one && !compared.some((earlier) => this.#areInConflict(earlier, one))) compared.push(one);
      }
    }
  }

  async withHeldCertificates(): Promise<void> {
    const inConflict = new Set<number>();
    for (const [holders, registered] of this.#comparison.claims.heldAndRegistered()) {
      for (const holder of holders.filter((each) => !inConflict.has(each))) {
        if (await this.#isInConflict(holder, registered)) inConflict.add(holder);
      }
    }
  }

  async #isInConflict(holder: number, registered: readonly number[]): Promise<boolean> {
    const one = await this.#claimant(holder);
    for (const index of registered) {
      const other = index === holder ? undefined : await this.#claimant(index);
      if (one && other && this.#areInConflict(one, other)) return true;
    }
    return false;
  }

  async withOthers(): Promise<void> {
    for (const { index, clientId } of this.#comparison.rivalries) {
      const client = await this.#comparison.storedClient(clientId);
      const one = client && (await this.#claimant(index));
      if (client && one) this.#areInConflict(one, { client, place: 'in Redis' });
    }
  }

  async #claimant(index: number): Promise<Claimant | undefined> {
    const client = await this.#comparison.desiredClient(index);
    return client && { client, place: this.#desired.placeAt(index) };
  }

  #areInConflict(one: Claimant, other: Claimant): boolean {
    const conflict = conflictOf(one, other, this.#circumstances);
    if (conflict !== undefined) this.conflicts.add(conflict);
    return conflict !== undefined;
  }
}
