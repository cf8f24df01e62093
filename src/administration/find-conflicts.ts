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
  const conflicts = new BoundedList();
  const areInConflict = (one: Claimant, other: Claimant) => {
    const conflict = conflictOf(one, other, circumstances);
    if (conflict !== undefined) conflicts.add(conflict);
    return conflict !== undefined;
  };
  const claimant = async (index: number): Promise<Claimant[]> => {
    const client = await comparison.desiredClient(index);
    return client ? [{ client, place: desired.placeAt(index) }] : [];
  };
  for (const group of comparison.claims.shared()) {
    const compared: Claimant[] = [];
    for (const index of group) {
      const [one] = await claimant(index);
      // Who conflicts with one is not compared with the others: for a million of one name that would never end.
      if (one && !compared.some((earlier) => areInConflict(earlier, one))) compared.push(one);
    }
  }
  for (const { index, clientId } of comparison.rivalries) {
    const client = await comparison.storedClient(clientId);
    const [one] = client ? await claimant(index) : [];
    if (client && one) areInConflict(one, { client, place: 'in Redis' });
  }
  return conflicts;
}
