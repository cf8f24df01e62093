import type { ChangedRecord } from '../../administration/change-record.ts';
import { printable } from '../../clients/printable.ts';
import { isClientId } from '../../oauth/client-id.ts';
import { styled } from '../output.ts';

/** What is said of a client, after its name. */
export interface Words {
  readonly written: string;
  readonly unchanged: string;
}

/**
 * Does the same to each of some clients, and says what became of it. One that is refused keeps the others from nothing,
 * so that the same command can be run again.
 *
 * @returns the exit code: 0, or 1 where one was refused
 */
export async function eachClient(
  clientIds: readonly string[],
  words: Words,
  change: (clientId: string) => Promise<ChangedRecord>,
): Promise<number> {
  let exitCode = 0;
  for (const clientId of new Set(clientIds)) {
    // Nothing becomes part of a key that is no client_id.
    const isName = isClientId(clientId);
    const changed: ChangedRecord = isName ? await change(clientId) : { outcome: 'refused', reason: 'is no client_id' };
    if (changed.outcome === 'refused') exitCode = 1;
    report(clientId, changed, words);
  }
  return exitCode;
}

function report(clientId: string, changed: ChangedRecord, words: Words): void {
  const name = `client ${printable(clientId)}`;
  if (changed.outcome === 'refused') console.error(`${styled('red', 'countersign:')} ${name} ${changed.reason}`);
  else console.log(`${name} ${words[changed.outcome]}`);
}
