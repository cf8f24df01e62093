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

/** Its output; wide has every column. */
export type KeyListFormat = OutputFormat | 'wide';

const headings = ['STATE', 'UNTIL', 'ALG', 'SIGNS FROM', 'KID', 'FILE'] as const;
type Heading = (typeof headings)[number];

/** What fits 80 characters: a key in a directory is known by its file, any other by its `kid`. */
function narrowHeadings(phases: readonly KeyPhase<ListedKey>[]): readonly Heading[] {
  const isDirectory = phases.some(({ key }) => key.file !== undefined);
  return isDirectory ? ['STATE', 'UNTIL', 'ALG', 'FILE'] : ['STATE', 'UNTIL', 'KID'];
}

/**
 * `countersign keys list`: prints the state of each key.
 *
 * @returns the exit code: 0
 * @throws {OperatorError} with every problem
 */
export async function listKeys(
  env: Environment,
  directory: string | undefined,
  output: KeyListFormat,
): Promise<number> {
  const { keys, retention } = await readInventory(env, directory);
  const phases = keyPhases(keys, retention, Date.now());
  const columns = output === 'wide' ? headings : narrowHeadings(phases);
  const rows = phases.map(cellsOf).map((cells) => columns.map((heading) => cells[heading]));
  const texts = output === 'json' ? [jsonText({ keys: phases.map(summarizeKey) })] : await table([columns, ...rows]);
  await writeTexts(texts.map((text) => `${text}\n`));
  return 0;
}

/** A key in JSON. */
export function summarizeKey({ key, state, until }: KeyPhase<ListedKey>) {
  const { keyId, algorithm, signsFrom, file = null } = key;
  const [signs_from, state_until] = [signsFrom, until].map((time) => formatKeyTime(time) ?? null);
  return { kid: keyId, alg: algorithm, state, state_until, signs_from, file };
}

function cellsOf({ key, state, until }: KeyPhase<ListedKey>): Readonly<Record<Heading, string>> {
  const { keyId, algorithm, signsFrom, file = '' } = key;
  const [from = '-', end = '-'] = [signsFrom, until].map(formatKeyTime);
  return { STATE: state, UNTIL: end, ALG: algorithm, 'SIGNS FROM': from, KID: keyId, FILE: file };
}
