import type { Comparison } from './compare.ts';
import { describeConflict, type IdentityOwner, type RegistrationContext } from './conflict.ts';
import { BoundedList, type DesiredClients } from './desired-clients.ts';
import { IdentityIndex } from './identity-index.ts';

/**
 * Finds the clients of the files that claim one certificate, with each other or with one that stays in Redis. A client
 * that is changed by the files counts as it will be.
 *
 * @throws {AdministrationError} where Redis fails
 */
export async function findConflicts(
  comparison: Comparison,
  desired: DesiredClients,
  circumstances: RegistrationContext,
): Promise<BoundedList> {
  const claimantAt = async (index: number) => {
    const client = await comparison.desiredClient(index);
    return client && { client, location: desired.locationAt(index) };
  };
  const search = new ConflictSearch(claimantAt, circumstances);
  await search.among(comparison.identityIndex);
  for (const { index, clientId } of comparison.possibleConflicts) {
    const client = await comparison.storedClient(clientId);
    if (client) await search.between(index, { client, location: 'in Redis' });
  }
  return search.conflicts;
}

/** Finds those that claim one certificate of some clients that are all at hand. */
export async function findConflictsAmong(
  owners: readonly IdentityOwner[],
  circumstances: RegistrationContext,
): Promise<BoundedList> {
  const claims = new IdentityIndex();
  for (const [index, { client }] of owners.entries()) claims.add(client, index);
  const search = new ConflictSearch(async (index) => owners[index], circumstances);
  await search.among(claims);
  return search.conflicts;
}

/** Who conflicts with one is not compared with the others: for a million of one name that would never end. */
class ConflictSearch {
  readonly conflicts = new BoundedList();
  readonly #claimantAt: (index: number) => Promise<IdentityOwner | undefined>;
  readonly #circumstances: RegistrationContext;

  constructor(claimantAt: (index: number) => Promise<IdentityOwner | undefined>, circumstances: RegistrationContext) {
    this.#claimantAt = claimantAt;
    this.#circumstances = circumstances;
  }

  async among(claims: IdentityIndex): Promise<void> {
    for (const group of claims.sharedRegistrations()) await this.#amongGroup(group);
    const inConflict = new Set<number>();
    for (const [holders, registered] of claims.certificateMatches()) {
      for (const holder of holders.filter((each) => !inConflict.has(each))) {
        if (await this.#isInConflict(holder, registered)) inConflict.add(holder);
      }
    }
  }

  async between(index: number, other: IdentityOwner): Promise<void> {
    const one = await this.#claimantAt(index);
    if (one) this.#areInConflict(one, other);
  }

  async #amongGroup(group: readonly number[]): Promise<void> {
    const compared: IdentityOwner[] = [];
    for (const index of group) {
      const one = await this.#claimantAt(index);
      if (one && !compared.some((earlier) => this.#areInConflict(earlier, one))) compared.push(one);
    }
  }

  async #isInConflict(holder: number, registered: readonly number[]): Promise<boolean> {
    const one = await this.#claimantAt(holder);
    for (const index of registered) {
      const other = index === holder ? undefined : await this.#claimantAt(index);
      if (one && other && this.#areInConflict(one, other)) return true;
    }
    return false;
  }

  #areInConflict(one: IdentityOwner, other: IdentityOwner): boolean {
    const conflict = describeConflict(one, other, this.#circumstances);
    if (conflict !== undefined) this.conflicts.add(conflict);
    return conflict !== undefined;
  }
}
