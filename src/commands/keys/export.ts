import type { Environment } from '../../settings/settings.ts';
import { keyPhases } from '../../tokens/keyring/lifecycle.ts';
import { writeTexts } from '../output/document.ts';
import { readInventory } from './inventory.ts';

/**
 * `countersign keys export --public`: prints the published keys as a JWK Set, as the server publishes them.
 *
 * @returns the exit code: 0
 * @throws {OperatorError} with every problem
 */
export async function exportKeys(env: Environment, directory: string | undefined): Promise<number> {
  const { keys, retention, keepsExpired } = await readInventory(env, directory);
  const phases = keyPhases(keys, retention, Date.now());
  const published = phases.filter(({ state }) => keepsExpired || state !== 'expired').map(({ key }) => key.publicJwk);
  await writeTexts([`${JSON.stringify({ keys: published }, null, 2)}\n`]);
  return 0;
}
