import { join } from 'node:path';
import type { Log } from '../../../observability/log.ts';
import { counted } from '../../../text.ts';
import type { SigningAlgorithm } from '../../algorithms/signing-algorithm.ts';
import type { KeyPolicy } from '../key-policy.ts';
import { formatKeyTime } from '../key-time.ts';
import { type KeyPhase, type KeyState, keyPhases } from '../lifecycle.ts';
import { changeWarnings, isSameKey, startupWarnings } from './key-changes.ts';
import type { DirectoryKey } from './read-key-directory.ts';

interface KeyDirectoryLog {
  readonly path: string;
  readonly algorithm: SigningAlgorithm | undefined;
  readonly policy: KeyPolicy;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** For the startup line: the key of the server's own algorithm that signs. */
export function describeKeys(keys: readonly DirectoryKey[], { path, algorithm, now }: KeyDirectoryLog): string {
  const time = now();
  const begun = keys.filter((key) => key.signsFrom <= time && (algorithm ?? key.algorithm) === key.algorithm);
  // Of keys of several algorithms that began at the same time, the first one.
  const signing = begun.find(({ signsFrom }) => signsFrom === begun.at(-1)?.signsFrom);
  const of = `one of ${counted(keys.length, 'key')} in ${path}`;
  return signing ? `${signing.algorithm} ${signing.keyId} (${signing.file}), ${of}` : of;
}

interface Keys {
  readonly keys: readonly DirectoryKey[];
}

/** What a reload has changed, for the log. */
export function describeChange({ keys: after }: Keys, { keys: before }: Keys) {
  const added = after.filter((key) => !before.some((known) => isSameKey(known, key)));
  const removed = before.filter((key) => !after.some((kept) => isSameKey(kept, key)));
  const fields = { keys: after.length, added: added.length, removed: removed.length };
  return { fields, summary: `${counted(after.length, 'key')}, ${fields.added} added, ${fields.removed} removed` };
}

/** Logs what is new since the previous version, which has no keys at startup, when it signs, and what the change breaks. */
export function logKeys(
  before: readonly DirectoryKey[],
  after: readonly DirectoryKey[],
  unread: readonly string[],
  { path, policy, log, ...options }: KeyDirectoryLog,
): void {
  const now = options.now();
  // Keys of a directory are published until they are removed.
  const phases = keyPhases(after, Number.POSITIVE_INFINITY, now);
  for (const phase of phases) if (!before.includes(phase.key)) logKey(phase, log);
  const broken =
    before.length === 0 ? startupWarnings(after, policy, now) : changeWarnings({ before, after, policy, now });
  for (const warning of [...unread, ...broken.map((sentence) => join(path, sentence))])
    log.warn({ event: 'signing_key_warning' }, warning);
}

function logKey({ key, state }: KeyPhase<DirectoryKey>, log: Log): void {
  const { file, keyId, algorithm, signsFrom } = key;
  const time = formatKeyTime(signsFrom);
  const fields = { event: 'signing_key', file, kid: keyId, alg: algorithm, state, signs_from: time ?? null };
  log.info(fields, `key ${keyId} (${algorithm}) of ${file}: ${describeState(state, time)}`);
}

function describeState(state: KeyState, signsFrom: string | undefined): string {
  if (state === 'next') return `published, signs from ${signsFrom}`;
  return state === 'signing' ? 'signs' : 'published only, another key signs';
}
