import { type Change, changedFields, replacedValue } from '../../administration/change.ts';
import type { ChangeLog } from '../../administration/change-log.ts';
import type { FieldChange } from '../../administration/field-changes.ts';
import type { Plan } from '../../administration/plan.ts';
import type { Json } from '../../clients/json-value.ts';
import type { SharedIdentities } from '../../clients/sharing/shared-identity.ts';
import { type RecordKey, recordTypeNames, recordTypes } from '../../resources/record-types.ts';
import { counted, printable } from '../../text.ts';
import { documentText, writeTexts } from '../output/document.ts';
import { type Style, styled } from '../output/text.ts';
import type { ClientsFormat } from './options.ts';

const MAX_PRINTED_CHANGES = 1_000;
const MAX_PRINTED_NAMES = 20;
const MAX_PRINTED_CHARACTERS = 200;
const CHANGES_IN_BATCH = 1_000;

/**
 * Prints what a plan would change.
 *
 * @param rest further fields of JSON and YAML, after those of the plan
 */
export function printPlan(plan: Plan, format: ClientsFormat, rest: object = {}): Promise<void> {
  if (format === 'table') return writeTexts(planLines(plan));
  const { counts, unmanaged, reenabled, keptDisabled, warnings, shared } = plan;
  const fields = {
    summary: counts,
    unmanaged: unmanaged.client,
    unmanaged_resources: unmanaged.resource,
    reenabled,
    kept_disabled: keptDisabled,
    warnings,
    shared: reportShared(shared),
    ...rest,
  };
  return writeTexts(documentText(format, { changes: changeReports(plan.changes) }, () => fields));
}

/** The shared identities in JSON and YAML. */
export function reportShared({ first }: SharedIdentities): object[] {
  return first.map(({ identity, clients }) => ({
    identity: identity.text,
    clients: clients.map(({ clientId }) => clientId),
  }));
}

function* planLines(plan: Plan): Generator<string> {
  for (const change of firstChanges(plan.changes)) yield `${changeLines(change).join('\n')}\n`;
  const omitted = plan.changes.count - MAX_PRINTED_CHANGES;
  if (omitted > 0) yield `… and ${omitted} more changes; --output json prints all of them\n`;
  for (const warning of [...plan.warnings, ...plan.shared.lines()]) yield `${styled('yellow', 'warning')} ${warning}\n`;
  if (plan.reenabled.length > 0) {
    const note = 'disabled in Redis and enabled by the files; to keep them disabled, use --keep-disabled:';
    yield `${styled('yellow', 'warning')} ${note} ${abbreviateList(plan.reenabled)}\n`;
  }
  if (plan.keptDisabled.length > 0) {
    const note = 'disabled in Redis and kept so; to re-enable them, run "countersign clients enable":';
    yield `${styled('yellow', 'warning')} ${note} ${abbreviateList(plan.keptDisabled)}\n`;
  }
  yield* unmanagedLines(plan);
  yield `${styled('bold', summaryOf(plan))}\n`;
}

function* unmanagedLines({ unmanaged, prune }: Plan): Generator<string> {
  for (const type of recordTypeNames) {
    const ids = unmanaged[type];
    if (ids.length === 0) continue;
    const { list } = recordTypes[type];
    const reason = prune ? `the files have no ${list}, and ${list}: [] would remove them` : '--prune removes them';
    yield `${counted(ids.length, type)} not in the files (kept; ${reason}): ${abbreviateList(ids)}\n`;
  }
}

function* firstChanges(changes: ChangeLog): Generator<Change> {
  const count = Math.min(changes.count, MAX_PRINTED_CHANGES);
  for (let position = 0; position < count; position += 1) yield changes.at(position);
}

/** The first of many ids, and how many more there are. */
export function abbreviateList(ids: readonly string[]): string {
  const omitted = ids.length - MAX_PRINTED_NAMES;
  return `${ids.slice(0, MAX_PRINTED_NAMES).join(', ')}${omitted > 0 ? ` and ${omitted} more` : ''}`;
}

function summaryOf({ counts }: Plan): string {
  const { added, changed, removed, reindexed, unchanged } = counts;
  const index = reindexed > 0 ? `, ${reindexed} to reindex` : '';
  return `${added} to add, ${changed} to change, ${removed} to remove${index}, ${unchanged} unchanged`;
}

const markers: Readonly<
  Record<Change['kind'], { readonly sign: string; readonly style: Style; readonly note: string }>
> = {
  added: { sign: '+', style: 'green', note: 'added' },
  changed: { sign: '~', style: 'yellow', note: 'changed' },
  removed: { sign: '-', style: 'red', note: 'removed' },
  reindexed: { sign: '*', style: 'cyan', note: 'its index entries are missing' },
};

/** A line for the record, and one for each field. */
function changeLines(change: Change): string[] {
  const { sign, style, note } = markers[change.kind];
  const { replaces, fields } = reportChange(change);
  const replaced = replaces === undefined ? '' : `; the value in Redis ${replaces}`;
  const { idField } = recordTypes[change.type];
  const printed = fields.filter(({ field }) => field !== idField || change.kind !== 'added');
  const title = `${styled(style, `${sign} ${describeKey(change)}`)}  (${printable(`${note}${replaced}`)})`;
  return [title, ...printed.map(fieldLine)];
}

/** A client is named by its `client_id` alone. */
export function describeKey({ type, id }: RecordKey): string {
  return type === 'client' ? id : `${type} ${id}`;
}

function fieldLine({ field, before, after }: FieldChange): string {
  const name = `    ${printable(field)}:`;
  if (before === undefined) return `${name} ${styled('green', formatValue(after))}`;
  if (after === undefined) return `${name} ${styled('red', `${formatValue(before)} → nothing`)}`;
  return `${name} ${formatValue(before)} → ${styled('yellow', formatValue(after))}`;
}

/** As JSON, which distinguishes `"1"` from `1` and delimits a text. */
function formatValue(value: Json | undefined): string {
  const text = printable(JSON.stringify(value) ?? 'nothing');
  if (text.length <= MAX_PRINTED_CHARACTERS) return text;
  return `${text.slice(0, MAX_PRINTED_CHARACTERS).toWellFormed()}… (${text.length} characters)`;
}

function* changeReports(changes: ChangeLog): Generator<ChangeReport> {
  for (const batch of changes.batches(CHANGES_IN_BATCH)) yield* batch.map(reportChange);
}

/** One change in JSON and YAML. `before` and `after` of a field are left out where they are absent. */
interface ChangeReport {
  /** The id of a client. */
  readonly client_id?: string;
  /** The id of a resource. */
  readonly name?: string;
  readonly change: Change['kind'];
  /** What the replaced value was, when it was not a valid record. */
  readonly replaces?: string;
  readonly fields: readonly FieldChange[];
}

function reportChange(change: Change): ChangeReport {
  const replaces = change.kind === 'reindexed' ? undefined : replacedValue(change);
  return {
    [recordTypes[change.type].idField]: change.id,
    change: change.kind,
    ...(replaces !== undefined && { replaces }),
    fields: changedFields(change),
  };
}
