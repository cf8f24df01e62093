import type { KeyPolicy } from '../key-policy.ts';
import { formatKeyTime } from '../key-time.ts';
import { type KeyPhase, keyPhases } from '../lifecycle.ts';
import type { DirectoryKey } from './read-key-directory.ts';

/** Two versions of a directory, and what its changes are compared with. */
export interface KeyChanges {
  readonly before: readonly DirectoryKey[];
  readonly after: readonly DirectoryKey[];
  readonly policy: KeyPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Whether they are the same to a verifier. */
export function isSameKey(one: DirectoryKey, other: DirectoryKey): boolean {
  return one.keyId === other.keyId && one.algorithm === other.algorithm;
}

/** What breaks because of a change: one sentence for each key, which begins with the name of its file. */
export function changeWarnings(changes: KeyChanges): string[] {
  const removed = removedTooSoon(changes);
  const replacedFiles = new Set(removed.map(({ key }) => key.file));
  const added = addedTooLate(changes).filter(({ key }) => !replacedFiles.has(key.file));
  return [
    ...removed.map((phase) => describeRemoved(phase, changes)),
    ...added.map((phase) => describeAdded(phase, changes)),
  ];
}

/** Keys that are gone although tokens that they signed may not have expired. */
function removedTooSoon({ before, after, policy, now }: KeyChanges): KeyPhase<DirectoryKey>[] {
  return keyPhases(before, policy.retention, now).filter(
    ({ key, state }) => (state === 'signing' || state === 'retired') && !after.some((kept) => isSameKey(kept, key)),
  );
}

/** Keys that sign, or will sign, before verifiers can have fetched them. */
function addedTooLate({ before, after, policy, now }: KeyChanges): KeyPhase<DirectoryKey>[] {
  return keyPhases(after, policy.retention, now).filter(
    ({ key, state, until }) =>
      (state === 'signing' || (state === 'next' && until < now + policy.publishAhead)) &&
      !before.some((known) => isSameKey(known, key)),
  );
}

/**
 * Keys that may have appeared too late, by the times at which their files were changed: what the directory contained
 * before is not known at startup. The first key of a directory is not late.
 */
export function startupWarnings(keys: readonly DirectoryKey[], { publishAhead }: KeyPolicy, now: number): string[] {
  const late = keys
    .slice(1)
    .filter(({ signsFrom, changedAt }) => signsFrom > now - publishAhead && signsFrom < changedAt + publishAhead);
  return late.map(
    ({ file, keyId, signsFrom, changedAt }) =>
      `${file} may have appeared too late: it was changed at ${formatKeyTime(changedAt)}, and its key (${keyId}) signs ` +
      `from ${formatKeyTime(signsFrom)}; verifiers that fetched the JWKS before it was published reject its tokens ` +
      'until they fetch it again (COUNTERSIGN_KEY_PUBLISH_AHEAD)',
  );
}

function describeRemoved({ key, state, until }: KeyPhase<DirectoryKey>, { after, policy, now }: KeyChanges): string {
  const { file, keyId } = key;
  const lastExpiry = formatKeyTime(state === 'signing' ? now + policy.retention : until);
  const replacement = after.find((other) => other.file === file);
  const rejected = `tokens that ${keyId} signed are rejected from now on, the last of which expire by ${lastExpiry}`;
  if (!replacement) return `${file} was removed too soon: ${rejected}; restore the file until then`;
  return (
    `${file} was replaced in place by another key (${replacement.keyId}): ${rejected}, ` +
    'and verifiers reject new tokens until they fetch the JWKS again; ' +
    'keep a file as it is, and add each new key as a file of its own that signs from a later time'
  );
}

function describeAdded({ key, state, until }: KeyPhase<DirectoryKey>, { policy, now }: KeyChanges): string {
  const { file, keyId } = key;
  const begins = state === 'signing' ? 'signs at once' : `signs from ${formatKeyTime(until)}`;
  return (
    `${file} appeared too late: its key (${keyId}) ${begins}, and verifiers that fetched the JWKS before reject its ` +
    `tokens until they fetch it again; name it by a time after ${formatKeyTime(now + policy.publishAhead)} ` +
    '(COUNTERSIGN_KEY_PUBLISH_AHEAD)'
  );
}
