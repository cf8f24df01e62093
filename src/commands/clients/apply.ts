import { type ApplyResult, applyPlan } from '../../administration/apply-plan.ts';
import { lockedStore } from '../../administration/locked-store.ts';
import { findRecordFiles, makePlan, type Plan } from '../../administration/plan.ts';
import type { RecordStore } from '../../administration/record-store.ts';
import type { Environment } from '../../settings/settings.ts';
import { printProblem } from '../output/errors.ts';
import { styled } from '../output/text.ts';
import { type Administration, openAdministration } from './administer.ts';
import { abbreviateList, hasChanges, type PlanCommandOptions, printPlan } from './plan.ts';

/**
 * `countersign clients apply -f FILE`: makes Redis hold what the files say. Asks nothing.
 *
 * @returns the exit code: 0 when nothing changed, 2 when something did, 1 when somebody else wrote a client meanwhile
 * @throws {StartupError} with what is wrong with any record, or where another apply runs, or Redis failed
 */
export function applyClients(env: Environment, options: PlanCommandOptions): Promise<number> {
  return openAdministration(env, async (administration) => {
    const { plan, applied } = await inTurn(administration, (store) =>
      applyFiles({ ...administration, store }, options),
    );
    administration.progress.clear();
    if (options.output === 'table') console.log(styled('bold', `${applied.written} written`));
    else await printPlan(plan, options.output, applied);
    if (applied.marker === 'written') console.error(`countersign: ${NOTE_ON_MARKER}`);
    return exitCode(applied, hasChanges(plan));
  });
}

/** What the work sees in Redis, no other apply changes before it is done. */
async function inTurn<Answer>(
  { store, lock, onInterrupt }: Administration,
  work: (store: RecordStore) => Promise<Answer>,
): Promise<Answer> {
  onInterrupt(() => lock.release());
  try {
    return await work(lockedStore(store, lock, printProblem));
  } finally {
    await lock.release();
  }
}

interface AppliedFiles {
  readonly plan: Plan;
  readonly applied: ApplyResult;
}

async function applyFiles(
  { store, policy, now, progress, graceful }: Administration,
  { file, prune, output }: PlanCommandOptions,
): Promise<AppliedFiles> {
  const plan = await makePlan(findRecordFiles(file), store, { policy, now, prune, progress: progress.show });
  progress.clear();
  if (output === 'table') await printPlan(plan, output);
  return { plan, applied: await graceful((stop) => applyPlan(plan.changes, store, progress.show, stop)) };
}

/** Servers that miss the marker hold missing records for lost. Now they see it again, and hold them for removed. */
const NOTE_ON_MARKER =
  'note: this Redis did not say that it holds records of countersign, and does now. If it had lost them, apply all ' +
  'files at once: servers refuse whoever is still missing';

function exitCode({ conflicts }: ApplyResult, isChanged: boolean): number {
  if (conflicts.length === 0) return isChanged ? 2 : 0;
  const message = 'somebody else wrote these clients since they were read; run the command again:';
  console.error(`countersign: ${message} ${abbreviateList(conflicts)}`);
  return 1;
}
