import type { Change } from '../../administration/change.ts';
import type { ChangeLog } from '../../administration/change-log.ts';
import type { Plan } from '../../administration/plan.ts';
import { type DocumentFormat, documentText, writeTexts } from '../document.ts';
import { styled } from '../output.ts';
import { linesOfChange, reportOnChange } from './change-report.ts';

/** How the commands on clients print: for people, or for programs. */
export type ClientsFormat = 'table' | DocumentFormat;

const MAX_CHANGES_SHOWN = 1_000;
const MAX_NAMES_SHOWN = 20;

/** Prints what a plan would change. `rest` are fields for programs that come after those of the plan. */
export async function printPlan(plan: Plan, format: ClientsFormat, rest: object = {}): Promise<void> {
  if (format === 'table') return writeTexts(linesOfPlan(plan));
  const { counts, notInFiles, enabledAgain, warnings } = plan;
  const fields = { summary: counts, not_in_files: notInFiles, enabled_again: enabledAgain, warnings, ...rest };
  return writeTexts(documentText(format, 'changes', reports(plan.changes), () => fields));
}

/** Whether Redis is to be written. */
export function wouldChange({ changes }: Plan): boolean {
  return changes.count > 0;
}

function* reports(changes: ChangeLog): Generator<object> {
  for (const part of changes.parts(1_000)) for (const change of part) yield reportOnChange(change);
}

function* linesOfPlan(plan: Plan): Generator<string> {
  for (const change of firstOf(plan.changes)) yield `${linesOfChange(change).join('\n')}\n`;
  const untold = plan.changes.count - MAX_CHANGES_SHOWN;
  if (untold > 0) yield `… and ${untold} more changes; --output json tells all of them\n`;
  for (const warning of plan.warnings) yield `${styled('yellow', 'warning')} ${warning}\n`;
  if (plan.enabledAgain.length > 0) {
    const note = 'disabled in Redis and enabled by the files; write enabled: false there to keep them out:';
    yield `${styled('yellow', 'warning')} ${note} ${namesOf(plan.enabledAgain)}\n`;
  }
  if (plan.notInFiles.length > 0) {
    yield `${plan.notInFiles.length} not in the file (kept; --prune removes them): ${namesOf(plan.notInFiles)}\n`;
  }
  yield `${styled('bold', summaryOf(plan))}\n`;
}

function* firstOf(changes: ChangeLog): Generator<Change> {
  const count = Math.min(changes.count, MAX_CHANGES_SHOWN);
  for (let position = 0; position < count; position += 1) yield changes.at(position);
}

/** Some of many clients. */
export function namesOf(clientIds: readonly string[]): string {
  const more = clientIds.length - MAX_NAMES_SHOWN;
  return `${clientIds.slice(0, MAX_NAMES_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function summaryOf({ counts }: Plan): string {
  const { added, changed, removed, indexed, unchanged } = counts;
  const index = indexed > 0 ? `, ${indexed} to index` : '';
  return `${added} to add, ${changed} to change, ${removed} to remove${index}, ${unchanged} unchanged`;
}
