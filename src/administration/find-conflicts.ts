import type { Comparison } from './compare.ts';
import { describeConflict, type IdentityOwner, type RegistrationContext } from './conflict.ts';
import { BoundedList, type DesiredRecords } from './desired-records.ts';
import { IdentityIndex } from './identity-index.ts';

/**
 * Finds clients of the files that share a certificate with each other, or with a client that stays in Redis. Clients
 * that the files change are compared as they will be.
 *
 * @throws {AdministrationError} when Redis fails
 */
export async function findConflicts(
  comparison: Comparison,
  desired: DesiredRecords,
  context: RegistrationContext,
): Promise<BoundedList> {
  const ownerAt = async (index: number) => {
    const client = await comparison.desiredClient(index);
    return client && { client, location: desired.locationAt(index) };
  };
  const search = new ConflictSearch(ownerAt, context);
  await search.compareIndexed(comparison.identityIndex);
  for (const { index, clientId } of comparison.possibleConflicts) {
    const client = await comparison.storedClient(clientId);
    if (client) await search.compareWith(index, { client, location: 'in Redis' });
  }
  return search.conflicts;
}

/** Finds the conflicts among clients in memory. */
export async function findConflictsAmong(
  owners: readonly IdentityOwner[],
  context: RegistrationContext,
): Promise<BoundedList> {
  const index = new IdentityIndex();
  for (const [owner, { client }] of owners.entries()) index.add(client, owner);
  const search = new ConflictSearch(async (owner) => owners[owner], context);
  await search.compareIndexed(index);
  return search.conflicts;
}

/** A client in a conflict is not compared further: a million clients of one name would take forever. */
class ConflictSearch {
  readonly conflicts = new BoundedList();
  readonly #ownerAt: (index: number) => Promise<IdentityOwner | undefined>;
  readonly #context: RegistrationContext;

  constructor(ownerAt: (index: number) => Promise<IdentityOwner | undefined>, context: RegistrationContext) {
    this.#ownerAt = ownerAt;
    this.#context = context;
  }

  async compareIndexed(index: IdentityIndex): Promise<void> {
    for (const group of index.sharedRegistrations()) await this.#compareGroup(group);
    const inConflict = new Set<number>();
    for (const [certificateOwners, registeredOwners] of index.certificateMatches()) {
      for (const owner of certificateOwners.filter((each) => !inConflict.has(each))) {
        if (await this.#conflictsWithAny(owner, registeredOwners)) inConflict.add(owner);
      }
    }
  }

  async compareWith(index: number, other: IdentityOwner): Promise<void> {
    const owner = await this.#ownerAt(index);
    if (owner) this.#areInConflict(owner, other);
  }

  async #compareGroup(group: readonly number[]): Promise<void> {
    const compared: IdentityOwner[] = [];
    for (const index of group) {
      const owner = await this.#ownerAt(index);
      if (owner && !compared.some((earlier) => this.#areInConflict(earlier, owner))) compared.push(owner);
    }
  }

  async #conflictsWithAny(index: number, others: readonly number[]): Promise<boolean> {
    const owner = await this.#ownerAt(index);
    for (const otherIndex of others) {
      const other = otherIndex === index ? undefined : await this.#ownerAt(otherIndex);
      if (owner && other && this.#areInConflict(owner, other)) return true;
    }
    return false;
  }

  #areInConflict(one: IdentityOwner, other: IdentityOwner): boolean {
    const conflict = describeConflict(one, other, this.#context);
    if (conflict !== undefined) this.conflicts.add(conflict);
    return conflict !== undefined;
  }
}
