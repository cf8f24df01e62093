import { removeClient } from '../../administration/change-record.ts';
import type { Environment } from '../../settings/settings.ts';
import { administer } from './administer.ts';
import { eachClient } from './each-client.ts';
import type { ClientsFormat } from './plan-report.ts';

/**
 * `countersign clients remove ID…`: removes them from Redis.
 *
 * @returns the exit code: 0, or 1 where one of them is not there
 * @throws {StartupError} where Redis fails
 */
export function removeClients(env: Environment, clientIds: readonly string[], output: ClientsFormat): Promise<number> {
  const words = { outcome: 'removed', written: 'is removed', unchanged: 'is not there' } as const;
  return administer(env, ({ store, policy, finishing }) =>
    eachClient(clientIds, { words, output, finishing }, (clientId) => removeClient(store, clientId, policy)),
  );
}
