import { AdministrationError } from '../../administration/administration-error.ts';
import { type ApplyResult, applyPlan } from '../../administration/apply-plan.ts';
import { lockedStore } from '../../administration/locked-store.ts';
import { makePlanOf } from '../../administration/plan.ts';
import type { RecordType } from '../../resources/record-types.ts';
import type { Environment } from '../../settings/settings.ts';
import { confirmRemoval } from '../confirm-removal.ts';
import { printProblem } from '../output/errors.ts';
import { styled } from '../output/text.ts';
import { openAdministration } from './administration.ts';
import type { ClientFilesOptions } from './plan.ts';
import { abbreviateList, describeKey, printPlan } from './print-plan.ts';

export interface ApplyCommandOptions extends ClientFilesOptions {
  /** Confirms the removal of many records. */
  readonly yes: boolean;
}

/**
 * `countersign clients apply FILE…`: makes Redis match the files. Only the removal of many records requires confirmation.
 *
 * @returns the exit code: 0, or 1 when records were written by others in the meantime
 * @throws {OperatorError} with every invalid record, or when another apply is running, or when Redis fails, or when the
 * removal of many records is not confirmed
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function applyClients(env: Environment, options: ApplyCommandOptions): Promise<number> {
  await using administration = await openAdministration(env);
  const { policy, now, progress, interruption } = administration;
  await using lock = administration.createLock();
  const store = lockedStore(administration.store, lock, printProblem);

  const { prune, keepDisabled } = options;
  const comparison = { policy, now, prune, keepDisabled, progress: progress.show };
  const planning = makePlanOf(options.file, store, comparison).catch(reportNothingWritten);
  const plan = await interruption.abortable(planning);
  progress.clear();
  if (options.output === 'table') await interruption.abortable(printPlan(plan, options.output));
  await confirmRemoval(plan.removals, { yes: options.yes, interruption });
  const applied = await interruption.finishWrites((stop) => applyPlan(plan.changes, store, progress.show, stop));
  // The reader of the output may be slow.
  await lock.release();

  progress.clear();
  if (options.output === 'table') console.log(styled('bold', `${applied.written} written`));
  else await interruption.abortable(printPlan(plan, options.output, reportApplied(applied)));
  if (applied.marker === 'written') console.error(`countersign: ${NEW_MARKER}`);
  if (applied.conflicts.length === 0) return 0;
  console.error(`countersign: ${WRITTEN_BY_OTHERS}: ${abbreviateList(applied.conflicts.map(describeKey))}`);
  return 1;
}

/** The outcome in JSON and YAML. */
function reportApplied({ written, conflicts, marker }: ApplyResult): object {
  const idsOf = (type: RecordType) => conflicts.filter((key) => key.type === type).map(({ id }) => id);
  return { written, conflicts: idsOf('client'), conflicting_resources: idsOf('resource'), marker };
}

/** @throws what was thrown before the first write */
function reportNothingWritten(error: unknown): never {
  if (error instanceof AdministrationError) throw new AdministrationError([...error.problems, 'Nothing was written.']);
  throw error;
}

/** Servers treat missing records as lost while the marker is missing, and as removed once it is there again. */
const NEW_MARKER =
  'note: the marker of the registry was missing from Redis and is now written. If Redis has lost its records, apply all files ' +
  'in one run: servers reject what is still missing';

const WRITTEN_BY_OTHERS =
  'conflict: these records were changed by another writer since they were read; run the command again';
