import type { Environment } from '../../settings/settings.ts';
import { formatKeyTime } from '../../tokens/keyring/key-time.ts';
import { type KeyPhase, keyPhases, type ScheduledKey } from '../../tokens/keyring/lifecycle.ts';
import { jsonText, writeTexts } from '../output/document.ts';
import { type OutputFormat, table } from '../output/text.ts';
import { readInventory } from './inventory.ts';

/** Without its public key. */
interface ListedKey extends ScheduledKey {
  readonly file?: string | undefined;
}

const headings = ['STATE', 'UNTIL', 'ALG', 'SIGNS FROM', 'KID', 'FILE'];

/**
 * `countersign keys list`: prints the state of each key.
 *
 * @returns the exit code: 0
 * @throws {OperatorError} with every problem
 */
export async function listKeys(env: Environment, directory: string | undefined, output: OutputFormat): Promise<number> {
  const { keys, retention } = await readInventory(env, directory);
  const phases = keyPhases(keys, retention, Date.now());
  const texts =
    output === 'json' ? [jsonText({ keys: phases.map(summarizeKey) })] : await table([headings, ...phases.map(rowOf)]);
  await writeTexts(texts.map((text) => `${text}\n`));
  return 0;
}

/** A key in JSON. */
export function summarizeKey({ key, state, until }: KeyPhase<ListedKey>) {
  const { keyId, algorithm, signsFrom, file = null } = key;
  const [signs_from, state_until] = [signsFrom, until].map((time) => formatKeyTime(time) ?? null);
  return { kid: keyId, alg: algorithm, state, state_until, signs_from, file };
}

function rowOf({ key, state, until }: KeyPhase<ListedKey>): string[] {
  const { keyId, algorithm, signsFrom, file = '' } = key;
  const [from = '-', end = '-'] = [signsFrom, until].map(formatKeyTime);
  return [state, end, algorithm, from, keyId, file];
}
