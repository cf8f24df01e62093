import type { RotationPolicy } from '../../tokens/keyring/key-policy.ts';
import { formatKeyTime } from '../../tokens/keyring/key-time.ts';
import { type KeyPhase, keyPhases } from '../../tokens/keyring/lifecycle.ts';
import type { StoredKey } from '../../tokens/keyring/redis/stored-keyring.ts';
import { jsonText, writeTexts } from '../output/document.ts';
import { type OutputFormat, table } from '../output/text.ts';
import { summarizeKey } from './list.ts';

interface KeysChange {
  readonly before: readonly StoredKey[];
  readonly after: readonly StoredKey[];
  /** By the clock of Redis, in milliseconds since the epoch. */
  readonly time: number;
}

/** Prints what a command has changed in the keyring in Redis: in text, the keys whose state or time is another one. */
export async function printChange(
  { before, after, time }: KeysChange,
  { retention }: RotationPolicy,
  output: OutputFormat,
): Promise<void> {
  const phasesBefore = keyPhases(before, retention, time);
  const phases = keyPhases(after, retention, time);
  const removed = before.filter(({ keyId }) => after.every((key) => key.keyId !== keyId));
  if (output === 'json') {
    const keys = phases.map(summarizeKey);
    return writeTexts([`${jsonText({ removed: removed.map(({ keyId }) => keyId), keys })}\n`]);
  }
  const isChanged = ({ key, state, until }: KeyPhase<StoredKey>) => {
    const previous = phasesBefore.find((phase) => phase.key.keyId === key.keyId);
    return previous?.state !== state || previous.until !== until || previous.key.sealed !== key.sealed;
  };
  const rows = [
    ...removed.map(({ algorithm, keyId }) => [algorithm, keyId, 'was removed']),
    ...phases.filter(isChanged).map((phase) => [phase.key.algorithm, phase.key.keyId, describe(phase, retention)]),
  ];
  const lines = rows.length === 0 ? ['nothing had to be changed'] : await table(rows);
  return writeTexts(lines.map((line) => `${line}\n`));
}

/** The command does not know whether the servers rotate keys. */
const UNSCHEDULED =
  'is published, and signs after the key before it: the servers schedule this rotation, unless COUNTERSIGN_KEY_ROTATION is off';

function describe({ state, until }: KeyPhase<StoredKey>, retention: number): string {
  const end = formatKeyTime(until);
  switch (state) {
    case 'next':
      return end === undefined ? UNSCHEDULED : `is published, and signs from ${end}`;
    case 'signing':
      return end === undefined
        ? 'signs'
        : `signs until ${end}, and is published until ${formatKeyTime(until + retention)}`;
    case 'retired':
      return `is retired, and published until ${end}`;
    case 'expired':
      return 'has expired';
  }
}
