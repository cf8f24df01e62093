import { findFiles } from '../clients/files/find-files.ts';
import { AdministrationError } from './administration-error.ts';
import type { Change } from './change.ts';
import type { ChangeLog } from './change-log.ts';
import { Comparison, type ComparisonOptions } from './compare.ts';
import { DesiredClients } from './desired-clients.ts';
import { findConflicts } from './find-conflicts.ts';
import type { RecordStore } from './record-store.ts';

/** What is to be done so that Redis holds what the files say. */
export interface Plan {
  readonly changes: ChangeLog;
  readonly counts: Readonly<Record<Change['kind'] | 'unchanged', number>>;
  /** Clients in Redis that no file has and that stay. */
  readonly unmanaged: readonly string[];
  /** Clients that were disabled and would be enabled, though perhaps somebody had a reason. */
  readonly reenabled: readonly string[];
  /** About the records of the files, in whole lines. */
  readonly warnings: readonly string[];
}

/**
 * Compares the records of files with those in Redis.
 *
 * @throws {AdministrationError} with what is wrong with any record, or where Redis fails
 */
export async function makePlan(
  files: readonly string[],
  store: RecordStore,
  options: ComparisonOptions,
): Promise<Plan> {
  const desired = new DesiredClients(files, options.policy, options.now);
  const comparison = new Comparison(desired, store, options);
  await comparison.compareAll();
  const { count } = comparison.changes;
  const others = desired.errors.count > 0 ? [] : await comparison.findUnmanaged();
  // Redis tells keys in no order.
  comparison.changes.sortFrom(count);
  const conflicts = await findConflicts(comparison, desired, options);
  const messages = [...desired.errors.lines(), ...conflicts.lines()];
  if (messages.length > 0) throw new AdministrationError([...messages, 'Nothing was written.']);
  const { changes, counts, reenabled } = comparison;
  return { changes, counts, unmanaged: others.toSorted(), reenabled: reenabled, warnings: desired.warnings.lines() };
}

/**
 * The files that arguments of `-f` name.
 *
 * @throws {AdministrationError} with everything that is not there
 */
export function findRecordFiles(paths: readonly string[]): readonly string[] {
  const { files, errors } = findFiles(paths);
  if (errors.length > 0) throw new AdministrationError(errors);
  return files;
}
