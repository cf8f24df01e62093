import { type Change, changedFields, type FieldChange, replacedValue } from '../../administration/change.ts';
import type { Json } from '../../clients/client.ts';
import { printable } from '../../text.ts';
import { type Style, styled } from '../output.ts';

/** One change for programs; what is absent before or after is left out. */
export interface ChangeReport {
  readonly client_id: string;
  readonly change: Change['kind'];
  /** What stood in the record's place that was none. */
  readonly replaces?: string;
  readonly fields: readonly FieldChange[];
}

export function reportOnChange(change: Change): ChangeReport {
  const replaces = change.kind === 'indexed' ? undefined : replacedValue(change);
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
    indexed: { sign: '*', style: 'cyan', note: 'its entries in the index of identities are missing' },
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
