import { removeRecord } from '../../administration/change-record.ts';
import type { Environment } from '../../settings/settings.ts';
import { changeEach, removalWording } from '../change-each.ts';
import { openAdministration } from '../clients/administration.ts';
import type { ClientsFormat } from '../clients/options.ts';
import { requireIds } from '../record-ids.ts';

/**
 * `countersign resources remove NAME…`: removes resources from Redis, and prints the outcome of each.
 *
 * @returns the exit code: 0, or 1 when a resource is missing
 * @throws {ConfigurationError} when a name is malformed: no resource is removed
 * @throws {OperatorError} when Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function removeResources(
  env: Environment,
  names: readonly string[],
  output: ClientsFormat,
): Promise<number> {
  requireIds('resource', names);
  await using administration = await openAdministration(env);
  const { store, policy, interruption } = administration;
  const options = { wording: removalWording, output, interruption };
  return await changeEach('resource', names, options, (key) => removeRecord(store, key, policy));
}
