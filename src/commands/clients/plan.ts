import { type Change, changedFields, type FieldChange, replacedValue } from '../../administration/change.ts';
import type { ChangeLog } from '../../administration/change-log.ts';
import { findRecordFiles, makePlan, type Plan } from '../../administration/plan.ts';
import type { Json } from '../../clients/json-value.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import { type DocumentFormat, documentText, writeTexts } from '../output/document.ts';
import { type Style, styled } from '../output/text.ts';
import { openAdministration } from './administer.ts';

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
  return openAdministration(env, async ({ store, policy, now, progress }) => {
    const plan = await makePlan(findRecordFiles(file), store, { policy, now, prune, progress: progress.show });
    progress.clear();
    await printPlan(plan, output);
    return hasChanges(plan) ? 2 : 0;
  });
}

/** How the commands on clients print: for people, or for programs. */
export type ClientsFormat = 'table' | DocumentFormat;

const MAX_CHANGES_SHOWN = 1_000;
const MAX_NAMES_SHOWN = 20;

/** Prints what a plan would change. `rest` are fields for programs that come after those of the plan. */
export async function printPlan(plan: Plan, format: ClientsFormat, rest: object = {}): Promise<void> {
  if (format === 'table') return writeTexts(linesOfPlan(plan));
  const { counts, unmanaged, reenabled, warnings } = plan;
  const fields = { summary: counts, unmanaged, reenabled, warnings, ...rest };
  return writeTexts(documentText(format, 'changes', reports(plan.changes), () => fields));
}

/** Whether Redis is to be written. */
export function hasChanges({ changes }: Plan): boolean {
  return changes.count > 0;
}

function* reports(changes: ChangeLog): Generator<object> {
  for (const part of changes.batches(1_000)) for (const change of part) yield reportOnChange(change);
}

function* linesOfPlan(plan: Plan): Generator<string> {
  for (const change of firstOf(plan.changes)) yield `${linesOfChange(change).join('\n')}\n`;
  const untold = plan.changes.count - MAX_CHANGES_SHOWN;
  if (untold > 0) yield `… and ${untold} more changes; --output json tells all of them\n`;
  for (const warning of plan.warnings) yield `${styled('yellow', 'warning')} ${warning}\n`;
  if (plan.reenabled.length > 0) {
    const note = 'disabled in Redis and enabled by the files; write enabled: false there to keep them out:';
    yield `${styled('yellow', 'warning')} ${note} ${abbreviateList(plan.reenabled)}\n`;
  }
  if (plan.unmanaged.length > 0) {
    yield `${plan.unmanaged.length} not in the file (kept; --prune removes them): ${abbreviateList(plan.unmanaged)}\n`;
  }
  yield `${styled('bold', summaryOf(plan))}\n`;
}

function* firstOf(changes: ChangeLog): Generator<Change> {
  const count = Math.min(changes.count, MAX_CHANGES_SHOWN);
  for (let position = 0; position < count; position += 1) yield changes.at(position);
}

/** Some of many clients. */
export function abbreviateList(clientIds: readonly string[]): string {
  const more = clientIds.length - MAX_NAMES_SHOWN;
  return `${clientIds.slice(0, MAX_NAMES_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function summaryOf({ counts }: Plan): string {
  const { added, changed, removed, reindexed, unchanged } = counts;
  const index = reindexed > 0 ? `, ${reindexed} to index` : '';
  return `${added} to add, ${changed} to change, ${removed} to remove${index}, ${unchanged} unchanged`;
}

/** One change for programs; what is absent before or after is left out. */
export interface ChangeReport {
  readonly client_id: string;
  readonly change: Change['kind'];
  /** What stood in the record's location that was none. */
  readonly replaces?: string;
  readonly fields: readonly FieldChange[];
}

export function reportOnChange(change: Change): ChangeReport {
  const replaces = change.kind === 'reindexed' ? undefined : replacedValue(change);
  return {
    client_id: change.clientId,
    change: change.kind,
    ...(replaces !== undefined && { replaces }),
    fields: changedFields(change),
  };
}

const signs: Readonly<Record<Change['kind'], { readonly sign: string; readonly style: Style; readonly note: string }>> =
  {
    added: { sign: '+', style: 'green', note: 'added' },
    changed: { sign: '~', style: 'yellow', note: 'changed' },
    removed: { sign: '-', style: 'red', note: 'removed' },
    reindexed: { sign: '*', style: 'cyan', note: 'its entries in the index of identities are missing' },
  };

/** One change for people: a line for the client, and one for each field. */
export function linesOfChange(change: Change): string[] {
  const { sign, style, note } = signs[change.kind];
  const { client_id: clientId, replaces, fields } = reportOnChange(change);
  const instead = replaces === undefined ? '' : `; what stands there ${replaces}`;
  const own = fields.filter(({ field }) => field !== 'client_id' || change.kind !== 'added');
  return [`${styled(style, `${sign} ${clientId}`)}  (${printable(`${note}${instead}`)})`, ...own.map(lineOfField)];
}

function lineOfField({ field, before, after }: FieldChange): string {
  const name = `    ${printable(field)}:`;
  if (before === undefined) return `${name} ${styled('green', shown(after))}`;
  if (after === undefined) return `${name} ${styled('red', `${shown(before)} → nothing`)}`;
  return `${name} ${shown(before)} → ${styled('yellow', shown(after))}`;
}

const MAX_SHOWN = 200;

/** As JSON, so that a text is told from a number and its end is seen. */
function shown(value: Json | undefined): string {
  const text = printable(JSON.stringify(value) ?? 'nothing');
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN).toWellFormed()}… (${text.length} characters)`;
}
