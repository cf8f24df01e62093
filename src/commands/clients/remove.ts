import { removeClient } from '../../administration/remove-client.ts';
import type { Environment } from '../../operations/settings.ts';
import { administer } from './administer.ts';
import { eachClient } from './each-client.ts';

/**
 * `countersign clients remove ID…`: removes them from Redis.
 *
 * @returns the exit code: 0, or 1 where one of them is not there
 * @throws {StartupError} where Redis fails
 */
export function removeClients(env: Environment, clientIds: readonly string[]): Promise<number> {
  const words = { written: 'is removed', unchanged: 'is not there' };
  return administer(env, ({ store, policy }) =>
    eachClient(clientIds, words, (clientId) => removeClient(store, clientId, policy)),
  );
}
