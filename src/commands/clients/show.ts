import { parseStoredValue } from '../../administration/stored-records.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import { clientKey } from '../../resources/record-types.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import { printValue, yamlText } from '../output/document.ts';
import { styled, table } from '../output/text.ts';
import { requireIds } from '../record-ids.ts';
import { openAdministration } from './administration.ts';
import { type ClientDescription, describeClient, formatRegistration } from './client-report.ts';
import type { ClientsFormat } from './options.ts';

/**
 * `countersign clients show ID`: prints a record and how the server interprets it.
 *
 * @returns the exit code: 0, or 1 when the record is invalid
 * @throws {OperatorError} when the client does not exist, or Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function showClient(env: Environment, clientId: string, output: ClientsFormat): Promise<number> {
  requireIds('client', [clientId]);
  await using administration = await openAdministration(env);
  const { store, policy, now, interruption } = administration;
  const [value] = await interruption.abortable(store.read([clientKey(clientId)]));
  if (!value || value.type === 'none') throw new OperatorError([`client ${printable(clientId)} is not in Redis`]);
  const description = describeClient({ clientId, value, ...parseStoredValue(clientId, value, policy, now) }, now);
  if (output === 'table') console.log((await descriptionLines(description)).join('\n'));
  else printValue(output, description);
  return description.valid ? 0 : 1;
}

async function descriptionLines({ errors, warnings, record, ...description }: ClientDescription): Promise<string[]> {
  const registrations = description.registrations.map((registration) => ['identity', formatRegistration(registration)]);
  return [
    ...(await table([...factRows(description), ...registrations])),
    ...errors.map((error) => `${styled('red', 'error')} ${printable(error)}`),
    ...warnings.map((warning) => `${styled('yellow', 'warning')} ${printable(warning)}`),
    ...(record ? ['', styled('bold', 'Record:'), yamlText([record]).trimEnd()] : []),
  ];
}

type Facts = Omit<ClientDescription, 'errors' | 'warnings' | 'record'>;

function factRows({ client_id, valid, enabled, method = '', scopes = [] }: Facts): string[][] {
  const id = ['client_id', client_id];
  if (!valid) return [id, ['state', styled('red', 'invalid: the server rejects this client')]];
  const state = ['state', enabled ? 'enabled' : 'disabled'];
  return [id, state, ['method', method], ['scopes', scopes.join(' ') || '(none)']];
}
