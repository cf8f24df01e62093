import { readStoredRecord } from '../../administration/stored-records.ts';
import { isClientId } from '../../oauth/client-id.ts';
import { StartupError } from '../../operator-error.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import { printValue } from '../document.ts';
import { administer } from './administer.ts';
import { describeClient, linesOfClient } from './client-description.ts';
import type { ClientsFormat } from './plan-report.ts';

/**
 * `countersign clients show ID`: a record, and what the server makes of it.
 *
 * @returns the exit code: 0, or 1 where the server cannot use the record
 * @throws {StartupError} when there is no such client, or where Redis fails
 */
export function showClient(env: Environment, clientId: string, output: ClientsFormat): Promise<number> {
  return administer(env, async ({ store, policy, now }) => {
    if (!isClientId(clientId))
      throw new StartupError([`${printable(clientId)} is no client_id, so that nobody has it`]);
    const [value] = await store.read([clientId]);
    if (!value || value.type === 'none') throw new StartupError([`client ${printable(clientId)} is not in Redis`]);
    const description = describeClient({ clientId, value, ...readStoredRecord(clientId, value, policy, now) }, now);
    if (output === 'table') console.log(linesOfClient(description).join('\n'));
    else printValue(output, description);
    return description.usable ? 0 : 1;
  });
}
