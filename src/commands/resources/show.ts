import { parseResourceValue } from '../../administration/stored-records.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import { resourceKey } from '../../resources/record-types.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import { openAdministration } from '../clients/administration.ts';
import type { ClientsFormat } from '../clients/options.ts';
import { printValue, yamlText } from '../output/document.ts';
import { styled, table } from '../output/text.ts';
import { requireIds } from '../record-ids.ts';
import { describeResource, type ResourceDescription } from './resource-report.ts';

/**
 * `countersign resources show NAME`: prints a record and how the server interprets it.
 *
 * @returns the exit code: 0, or 1 when the record is invalid
 * @throws {OperatorError} when the resource does not exist, or Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function showResource(env: Environment, name: string, output: ClientsFormat): Promise<number> {
  requireIds('resource', [name]);
  await using administration = await openAdministration(env);
  const { store, policy, interruption } = administration;
  const [value] = await interruption.abortable(store.read([resourceKey(name)]));
  if (!value || value.type === 'none') throw new OperatorError([`resource ${name} is not in Redis`]);
  const description = describeResource(parseResourceValue(name, value, policy));
  if (output === 'table') console.log((await descriptionLines(description)).join('\n'));
  else printValue(output, description);
  return description.valid ? 0 : 1;
}

async function descriptionLines({ errors, record, ...facts }: ResourceDescription): Promise<string[]> {
  return [
    ...(await table(factRows(facts))),
    ...errors.map((error) => `${styled('red', 'error')} ${printable(error)}`),
    ...(record ? ['', styled('bold', 'Record:'), yamlText([record]).trimEnd()] : []),
  ];
}

function factRows({ valid, ...facts }: Omit<ResourceDescription, 'errors' | 'record'>): string[][] {
  if (!valid)
    return [
      ['name', facts.name],
      ['state', styled('red', 'invalid: the edge rejects its requests')],
    ];
  return Object.entries(facts).map(([fact, value]) => [fact, Array.isArray(value) ? value.join(' ') : String(value)]);
}
