import { makePlanOf } from '../../administration/plan.ts';
import type { Environment } from '../../settings/settings.ts';
import { openAdministration } from './administration.ts';
import type { ClientsFormat } from './options.ts';
import { printPlan } from './print-plan.ts';

/** What `plan` and `apply` have in common. */
export interface ClientFilesOptions {
  /** Files, folders, and `-` for standard input. */
  readonly file: readonly string[];
  readonly prune: boolean;
  /** Whether clients that are disabled in Redis stay so. */
  readonly keepDisabled: boolean;
  readonly output: ClientsFormat;
}

export interface PlanCommandOptions extends ClientFilesOptions {
  readonly detailedExitcode: boolean;
}

/** As in Terraform. Here, errors have another code. */
const HAS_CHANGES = 2;

/**
 * `countersign clients plan FILE…`: prints what `apply` would change.
 *
 * @returns the exit code: 0, or with `--detailed-exitcode` 2 when there are changes
 * @throws {OperatorError} with every invalid record, or when Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function planClients(env: Environment, options: PlanCommandOptions): Promise<number> {
  await using administration = await openAdministration(env);
  const { store, policy, now, progress, interruption } = administration;
  const { prune, keepDisabled } = options;
  const comparison = { policy, now, prune, keepDisabled, progress: progress.show };
  const plan = await interruption.abortable(makePlanOf(options.file, store, comparison));
  progress.clear();
  await interruption.abortable(printPlan(plan, options.output));
  return options.detailedExitcode && plan.changes.count > 0 ? HAS_CHANGES : 0;
}
