import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigurationError, OperatorError } from '../../errors/operator-error.ts';
import type { KeyDirectoryConfig } from '../../settings/signing-key.ts';
import type { SigningAlgorithm } from '../../tokens/algorithms/signing-algorithm.ts';
import { parseKeyFileTime } from '../../tokens/keyring/directory/key-file-name.ts';
import type { DirectoryKey } from '../../tokens/keyring/directory/read-key-directory.ts';
import type { KeyPolicy } from '../../tokens/keyring/key-policy.ts';
import { formatKeyTime } from '../../tokens/keyring/key-time.ts';
import { jsonText, writeTexts } from '../output/document.ts';
import { printWarnings } from '../output/errors.ts';
import { type OutputFormat, table } from '../output/text.ts';
import { readDirectory } from './keys-config.ts';
import { type KeyFile, writeKeyFile } from './write-key-file.ts';

export interface NewKeyOptions {
  /** `--dir`, if it names the directory. */
  readonly dir: string | undefined;
  /** When the key begins to sign. */
  readonly from: string;
  readonly alg?: SigningAlgorithm;
  readonly output: OutputFormat;
}

/**
 * `countersign keys create --dir DIR --from TIME`: creates a key, and prints when it is published, when it signs, and
 * when the key before it can be removed.
 *
 * @returns the exit code: 0
 * @throws {OperatorError} with every problem
 */
export async function createKeyInDirectory(
  location: KeyDirectoryConfig,
  { from, alg, dir, output }: NewKeyOptions,
): Promise<number> {
  const { path, algorithm: ownAlgorithm, policy } = location;
  const now = Date.now();
  const signsFrom = parseTime(from);
  requireExisting(path, dir);
  const { keys, warnings } = await readDirectory(location, dir);
  printWarnings(warnings);
  const current = ownAlgorithm ?? keys.findLast((key) => key.signsFrom <= now)?.algorithm;
  const algorithm = alg ?? current ?? 'ES256';
  const others = keys.filter((key) => key.algorithm === algorithm);
  requireFuture(others, signsFrom, now);
  const previous = others.findLast((key) => key.signsFrom < signsFrom);
  const key = await writeKeyFile(path, { algorithm, signsFrom });
  const isFirst = keys.length === 0;
  if (isFirst && signsFrom > now) printWarnings([describeNoSigner(key)]);
  if (!isFirst && signsFrom < now + policy.publishAhead)
    printWarnings([describeTooSoon(key, now + policy.publishAhead)]);
  if (current && !ownAlgorithm && current !== algorithm) printWarnings([describeNewAlgorithm(key, current)]);
  if (hasOtherOwner(path, key)) printWarnings([describeOtherOwner(path, key)]);
  const schedule = { ...policy, path, key, previous, isFirst, now };
  await writeTexts(output === 'json' ? [`${jsonText(summarize(schedule))}\n`] : await describe(schedule));
  return 0;
}

/** In the form of a file name, or in RFC 3339. @returns milliseconds since the epoch */
function parseTime(text: string): number {
  const time = parseKeyFileTime(text.replaceAll(':', ''));
  if (time !== undefined) return time;
  throw new ConfigurationError([`--from "${text}" is not a time in UTC such as 2026-11-01 or 2026-11-01T1430Z`]);
}

function requireExisting(path: string, dir: string | undefined): void {
  if (existsSync(path)) return;
  const problem = `${path} does not exist: create it with mkdir -m 700 ${path}`;
  if (dir === undefined) throw new ConfigurationError([`COUNTERSIGN_SIGNING_KEYS_DIR: ${problem}`]);
  throw new OperatorError([problem]);
}

/** @param others the keys of the same algorithm, in the order in which they begin to sign */
function requireFuture(others: readonly DirectoryKey[], signsFrom: number, now: number): void {
  const same = others.find((key) => key.signsFrom === signsFrom);
  if (same) throw new OperatorError([`${same.file} signs from ${formatKeyTime(signsFrom)}: choose another time`]);
  const later = others.findLast((key) => key.signsFrom > signsFrom && key.signsFrom <= now);
  if (!later) return;
  const begun = `${later.file} signs since ${formatKeyTime(later.signsFrom)}`;
  throw new OperatorError([`a key from ${formatKeyTime(signsFrom)} would never sign: ${begun}; choose a later time`]);
}

/** A new key, and the one that signs before it. */
interface Schedule extends KeyPolicy {
  readonly path: string;
  readonly key: KeyFile;
  /** Undefined for the first key of its algorithm. */
  readonly previous: DirectoryKey | undefined;
  /** Whether the directory had no key. */
  readonly isFirst: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** As after `sudo countersign keys create`. */
function hasOtherOwner(path: string, { file }: KeyFile): boolean {
  return statSync(join(path, file)).uid !== statSync(path).uid;
}

function describeOtherOwner(path: string, { file }: KeyFile): string {
  const fix = `run chown --reference=${path} ${join(path, file)}`;
  return `${file} does not belong to the owner of the directory, and only its owner can read it: if that is not the server, ${fix}`;
}

function describeNoSigner({ signsFrom }: KeyFile): string {
  return `no key signs before ${formatKeyTime(signsFrom)}, and the server does not start until one does: create another one from today`;
}

/** @param earliest milliseconds since the epoch */
function describeTooSoon({ file }: KeyFile, earliest: number): string {
  return (
    `${file} signs before ${formatKeyTime(earliest)}, which is COUNTERSIGN_KEY_PUBLISH_AHEAD from now: ` +
    'verifiers that have cached the JWKS reject its tokens until they fetch it again'
  );
}

function describeNewAlgorithm({ file, algorithm, signsFrom }: KeyFile, current: SigningAlgorithm): string {
  return (
    `from ${formatKeyTime(signsFrom)}, ${file} makes ${algorithm} the algorithm of tokens, in place of ${current}: ` +
    `to keep ${current}, set COUNTERSIGN_SIGNING_ALG=${current}`
  );
}

function summarize({ path, key, previous, isFirst, now, publishAhead, retention }: Schedule) {
  const { file, keyId, algorithm, signsFrom } = key;
  const publishBefore = signsFrom - publishAhead;
  const removable = formatKeyTime(signsFrom + retention);
  return {
    file: join(path, file),
    kid: keyId,
    alg: algorithm,
    publish_before: isFirst || publishBefore <= now ? null : formatKeyTime(publishBefore),
    signs_from: formatKeyTime(signsFrom),
    previous: previous ? { file: join(path, previous.file), kid: previous.keyId, removable_from: removable } : null,
  };
}

async function describe(schedule: Schedule): Promise<string[]> {
  const { file, kid, alg, publish_before, signs_from, previous } = summarize(schedule);
  const lines = await table([
    ['created', `${file} (${alg}, kid ${kid})`],
    [
      'published',
      publish_before ? `once the servers have the file: distribute it before ${publish_before}` : PUBLISHED,
    ],
    ['signs', `from ${signs_from}`],
    ...(previous ? [['previous', `${previous.file}: do not remove it before ${previous.removable_from}`]] : []),
  ]);
  return lines.map((line) => `${line}\n`);
}

const PUBLISHED = 'once the servers have the file';
