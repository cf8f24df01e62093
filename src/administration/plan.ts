import { describeDiagnostic } from '../clients/files/diagnostics.ts';
import { findFiles, ignoredFiles } from '../clients/files/find-files.ts';
import { findSharedIdentities } from '../clients/sharing/find-shared-identities.ts';
import { describeForbiddenSharing, SharedIdentities } from '../clients/sharing/shared-identity.ts';
import { type RecordType, recordTypeNames } from '../resources/record-types.ts';
import { AdministrationError } from './administration-error.ts';
import type { Change } from './change.ts';
import type { ChangeLog } from './change-log.ts';
import { Comparison, type ComparisonOptions } from './compare.ts';
import { DesiredRecords } from './desired-records.ts';
import type { RecordStore } from './record-store.ts';

/** The changes that make Redis match the files. */
export interface Plan {
  readonly changes: ChangeLog;
  readonly counts: Readonly<Record<Change['kind'] | 'unchanged', number>>;
  /** The ids of records in Redis that are in no file and are kept, by type, sorted. */
  readonly unmanaged: Readonly<Record<RecordType, readonly string[]>>;
  /** Whether records that are in no file are removed, if the files have others of their type. */
  readonly prune: boolean;
  /** How many records are removed, and how many there are in Redis, by type. */
  readonly removals: Comparison['removals'];
  /** Clients that are disabled in Redis, perhaps for a reason, and that the files enable. */
  readonly reenabled: readonly string[];
  /** Clients that are disabled in Redis, that the files enable, and that stay disabled. */
  readonly keptDisabled: readonly string[];
  /** Warnings about the records of the files, one line each. */
  readonly warnings: readonly string[];
  /** Identities that clients of the files share, with each other or with clients that stay in Redis. */
  readonly shared: SharedIdentities;
}

/**
 * Compares the records of files with those in Redis.
 *
 * @throws {AdministrationError} with every invalid record, and every shared identity if the policy forbids them, or when Redis fails
 */
export async function makePlan(
  files: readonly string[],
  store: RecordStore,
  options: ComparisonOptions,
): Promise<Plan> {
  const desired = new DesiredRecords(files, options.policy, options.now);
  const comparison = new Comparison(desired, store, options);
  await comparison.compareAll();
  const { count } = comparison.changes;
  const unmanaged: Record<RecordType, readonly string[]> = { client: [], resource: [] };
  // After an error nothing is written.
  for (const type of desired.errors.count > 0 ? [] : recordTypeNames) {
    unmanaged[type] = (await comparison.findUnmanaged(type)).toSorted();
  }
  // SCAN returns keys in no particular order.
  comparison.changes.sortFrom(count);
  const shared = await findShared(comparison, options);
  const forbidden = options.policy.uniqueCertificates ? shared.lines(describeForbiddenSharing) : [];
  const problems = [...desired.errors.lines(), ...forbidden];
  if (problems.length > 0) throw new AdministrationError(problems);
  const { changes, counts, reenabled, keptDisabled, removals } = comparison;
  const { prune } = options;
  const warnings = desired.warnings.lines();
  return { changes, counts, unmanaged, prune, removals, reenabled, keptDisabled, warnings, shared };
}

async function findShared(comparison: Comparison, context: ComparisonOptions): Promise<SharedIdentities> {
  const found = new SharedIdentities();
  const load = (numbers: readonly number[]) => comparison.loadOwners(numbers);
  for await (const shared of findSharedIdentities(comparison.identityIndex, load, context)) {
    // What clients share that are in no file is not the matter of this plan.
    if (shared.clients.some(({ location }) => location !== undefined)) found.add(shared);
  }
  return found;
}

/**
 * The same with the files that paths name: files, folders, and `-` for standard input. It warns about what folders contain
 * and do not stand for.
 *
 * @throws {AdministrationError} also with every path that does not exist
 */
export async function makePlanOf(
  paths: readonly string[],
  store: RecordStore,
  options: ComparisonOptions,
): Promise<Plan> {
  const { files, errors } = findFiles(paths);
  if (errors.length > 0) throw new AdministrationError(errors.map(describeDiagnostic));
  const plan = await makePlan(files, store, options);
  return { ...plan, warnings: [...ignoredFiles(paths).map(describeDiagnostic), ...plan.warnings] };
}
