import { AdministrationError } from '../../administration/administration-error.ts';
import { type ChangeResult, changeRecord, removeClient } from '../../administration/change-record.ts';
import type { JsonObject } from '../../administration/stored-records.ts';
import { isClientId } from '../../oauth/grammar.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import { printValue } from '../output/document.ts';
import { printProblem } from '../output/errors.ts';
import { type Graceful, openAdministration } from './administer.ts';
import type { ClientsFormat } from './plan.ts';

export interface EnableCommandOptions {
  readonly isEnabled: boolean;
  readonly output: ClientsFormat;
}

/**
 * `countersign clients enable ID…` and `disable ID…`: writes that into their records, and says of each what happened.
 *
 * @returns the exit code: 0, or 1 where one of them is not there or not a record
 * @throws {StartupError} where Redis fails
 */
export function enableClients(
  env: Environment,
  clientIds: readonly string[],
  { isEnabled, output }: EnableCommandOptions,
): Promise<number> {
  const state = isEnabled ? 'enabled' : 'disabled';
  const words = { outcome: state, written: `is ${state} now`, unchanged: `was ${state} already` } as const;
  const change = (record: JsonObject) => (isEnabled ? enabled(record) : disabled(record));
  return openAdministration(env, ({ store, graceful }) =>
    forEachClient(clientIds, { words, output, finishing: graceful }, (clientId) =>
      changeRecord(store, clientId, change),
    ),
  );
}

function disabled(record: JsonObject): JsonObject | undefined {
  return record.enabled === false ? undefined : { ...record, enabled: false };
}

/** As most files say it: not at all. */
function enabled({ enabled: state, ...others }: JsonObject): JsonObject | undefined {
  return state === undefined || state === true ? undefined : others;
}

/**
 * `countersign clients remove ID…`: removes them from Redis.
 *
 * @returns the exit code: 0, or 1 where one of them is not there
 * @throws {StartupError} where Redis fails
 */
export function removeClients(env: Environment, clientIds: readonly string[], output: ClientsFormat): Promise<number> {
  const words = { outcome: 'removed', written: 'is removed', unchanged: 'is not there' } as const;
  return openAdministration(env, ({ store, policy, graceful }) =>
    forEachClient(clientIds, { words, output, finishing: graceful }, (clientId) =>
      removeClient(store, clientId, policy),
    ),
  );
}

/** What is said of a client: to programs where it was written, and to people after its name. */
export interface Words {
  readonly outcome: 'disabled' | 'enabled' | 'removed';
  readonly written: string;
  readonly unchanged: string;
}

export interface EachClientOptions {
  readonly words: Words;
  readonly output: ClientsFormat;
  readonly finishing: Graceful;
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
export async function forEachClient(
  clientIds: readonly string[],
  { words, output, finishing }: EachClientOptions,
  change: (clientId: string) => Promise<ChangeResult>,
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
  change: (clientId: string) => Promise<ChangeResult>,
): Promise<ChangeResult> {
  return isClientId(clientId) ? change(clientId) : { outcome: 'refused', reason: 'is no client_id' };
}

function outcomeOf(clientId: string, changed: ChangeResult, words: Words): ClientOutcome {
  if (changed.outcome === 'refused') return { client_id: clientId, ...changed };
  return { client_id: clientId, outcome: changed.outcome === 'written' ? words.outcome : 'unchanged' };
}

function print({ client_id: clientId, outcome, reason }: ClientOutcome, words: Words): void {
  const name = `client ${printable(clientId)}`;
  if (outcome === 'refused') printProblem(`${name} ${reason}`);
  else console.log(`${name} ${outcome === 'unchanged' ? words.unchanged : words.written}`);
}
