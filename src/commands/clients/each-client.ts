import { AdministrationError } from '../../administration/administration-error.ts';
import type { ChangedRecord } from '../../administration/change-record.ts';
import { isClientId } from '../../oauth/client-id.ts';
import { printable } from '../../text.ts';
import { printValue } from '../document.ts';
import { printFault } from '../print-error.ts';
import type { Finishing } from './interruptible.ts';
import type { ClientsFormat } from './plan-report.ts';

/** What is said of a client: to programs where it was written, and to people after its name. */
export interface Words {
  readonly outcome: 'disabled' | 'enabled' | 'removed';
  readonly written: string;
  readonly unchanged: string;
}

export interface EachClientOptions {
  readonly words: Words;
  readonly output: ClientsFormat;
  readonly finishing: Finishing;
}

/** What became of one client, for programs. */
export interface ClientOutcome {
  readonly client_id: string;
  readonly outcome: Words['outcome'] | 'unchanged' | 'refused';
  /** Why it was refused, as words that follow its name. */
  readonly reason?: string;
}

/**
 * Does the same to each of some clients, and says what became of it. One that is refused keeps the others from nothing,
 * so that the same command can be run again.
 *
 * @returns the exit code: 0, or 1 where one was refused
 */
export async function eachClient(
  clientIds: readonly string[],
  { words, output, finishing }: EachClientOptions,
  change: (clientId: string) => Promise<ChangedRecord>,
): Promise<number> {
  const all = new Set(clientIds);
  const outcomes: ClientOutcome[] = [];
  const changeAll = async (stop: AbortSignal) => {
    for (const clientId of all) {
      if (stop.aborted) throw stoppedAfter(outcomes.length, all.size);
      const outcome = outcomeOf(clientId, await changeNamed(clientId, change), words);
      outcomes.push(outcome);
      if (output === 'table') print(outcome, words);
    }
  };
  try {
    await finishing(changeAll);
  } finally {
    // Whatever kept the rest from being done: these are.
    if (output !== 'table') printValue(output, { clients: outcomes });
  }
  return outcomes.some(({ outcome }) => outcome === 'refused') ? 1 : 0;
}

function stoppedAfter(count: number, of: number): AdministrationError {
  return new AdministrationError([`${count} of ${of} clients were looked at; running the command again does the rest`]);
}

/** Nothing becomes part of a key that is no client_id. */
async function changeNamed(
  clientId: string,
  change: (clientId: string) => Promise<ChangedRecord>,
): Promise<ChangedRecord> {
  return isClientId(clientId) ? change(clientId) : { outcome: 'refused', reason: 'is no client_id' };
}

function outcomeOf(clientId: string, changed: ChangedRecord, words: Words): ClientOutcome {
  if (changed.outcome === 'refused') return { client_id: clientId, ...changed };
  return { client_id: clientId, outcome: changed.outcome === 'written' ? words.outcome : 'unchanged' };
}

function print({ client_id: clientId, outcome, reason }: ClientOutcome, words: Words): void {
  const name = `client ${printable(clientId)}`;
  if (outcome === 'refused') printFault(`${name} ${reason}`);
  else console.log(`${name} ${outcome === 'unchanged' ? words.unchanged : words.written}`);
}
