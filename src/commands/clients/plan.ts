import { makePlan, recordFiles } from '../../administration/plan.ts';
import type { Environment } from '../../settings/settings.ts';
import { administer } from './administer.ts';
import { type ClientsFormat, printPlan, wouldChange } from './plan-report.ts';

export interface PlanCommandOptions {
  /** Of `-f`: files, folders, and `-` for standard input. */
  readonly file: readonly string[];
  readonly prune: boolean;
  readonly output: ClientsFormat;
}

/**
 * `countersign clients plan -f FILE`: prints what `apply` would change.
 *
 * @returns the exit code: 0 when nothing would change, 2 when something would
 * @throws {StartupError} with what is wrong with any record
 */
export function planClients(env: Environment, { file, prune, output }: PlanCommandOptions): Promise<number> {
  return administer(env, async ({ store, policy, now, progress }) => {
    const plan = await makePlan(recordFiles(file), store, { policy, now, prune, progress: progress.show });
    progress.clear();
    await printPlan(plan, output);
    return wouldChange(plan) ? 2 : 0;
  });
}
