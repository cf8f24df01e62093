import type { Environment } from '../../settings/settings.ts';
import { type KeyPhase, keyPhases } from '../../tokens/keyring/lifecycle.ts';
import { jsonText, writeTexts } from '../output/document.ts';
import { type OutputFormat, table } from '../output/text.ts';
import { type InventoryKey, readInventory } from './inventory.ts';

const headings = ['STATE', 'ALG', 'SIGNS FROM', 'UNTIL', 'KID', 'FILE'];

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
    output === 'json' ? [jsonText({ keys: phases.map(summarize) })] : await table([headings, ...phases.map(rowOf)]);
  await writeTexts(texts.map((text) => `${text}\n`));
  return 0;
}

function summarize({ key, state, until }: KeyPhase<InventoryKey>) {
  const { keyId, algorithm, signsFrom, file } = key;
  return { kid: keyId, alg: algorithm, state, signs_from: timeOrNull(signsFrom), until: timeOrNull(until), file };
}

function rowOf({ key, state, until }: KeyPhase<InventoryKey>): string[] {
  const { keyId, algorithm, signsFrom, file = '' } = key;
  return [state, algorithm, timeOrNull(signsFrom) ?? '-', timeOrNull(until) ?? '-', keyId, file];
}

/** RFC 3339 in seconds; null if the time is infinite. */
function timeOrNull(milliseconds: number): string | null {
  return Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z') : null;
}
