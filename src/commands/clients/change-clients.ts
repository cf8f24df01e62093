import { AdministrationError } from '../../administration/administration-error.ts';
import { type ChangeResult, changeRecord, removeRecord } from '../../administration/change-record.ts';
import type { JsonObject } from '../../clients/json-value.ts';
import { isClientId } from '../../oauth/grammar.ts';
import { clientKey } from '../../resources/record-types.ts';
import type { Environment } from '../../settings/settings.ts';
import { printable } from '../../text.ts';
import { printValue } from '../output/document.ts';
import { printProblem } from '../output/errors.ts';
import { openAdministration } from './administration.ts';
import type { Interruption } from './interruption.ts';
import type { ClientsFormat } from './options.ts';

interface EnableCommandOptions {
  readonly isEnabled: boolean;
  readonly output: ClientsFormat;
}

/**
 * `countersign clients enable ID…` and `disable ID…`: changes their records, and prints the outcome of each.
 *
 * @returns the exit code: 0, or 1 when a client is missing or its record is invalid
 * @throws {OperatorError} when Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function enableClients(
  env: Environment,
  clientIds: readonly string[],
  { isEnabled, output }: EnableCommandOptions,
): Promise<number> {
  await using administration = await openAdministration(env);
  const { store, interruption } = administration;
  const state = isEnabled ? 'enabled' : 'disabled';
  const wording = { outcome: state, written: `is now ${state}`, unchanged: `was already ${state}` } as const;
  const change = isEnabled ? enableRecord : disableRecord;
  return await changeEachClient(clientIds, { wording, output, interruption }, (clientId) =>
    changeRecord(store, clientId, change),
  );
}

function disableRecord(record: JsonObject): JsonObject | undefined {
  return record.enabled === false ? undefined : { ...record, enabled: false };
}

/** Most files leave the default out. */
function enableRecord({ enabled, ...others }: JsonObject): JsonObject | undefined {
  return enabled === undefined || enabled === true ? undefined : others;
}

/**
 * `countersign clients remove ID…`: removes clients from Redis, and prints the outcome of each.
 *
 * @returns the exit code: 0, or 1 when a client is missing
 * @throws {OperatorError} when Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function removeClients(
  env: Environment,
  clientIds: readonly string[],
  output: ClientsFormat,
): Promise<number> {
  await using administration = await openAdministration(env);
  const { store, policy, interruption } = administration;
  const wording = { outcome: 'removed', written: 'was removed', unchanged: 'is missing' } as const;
  return await changeEachClient(clientIds, { wording, output, interruption }, (clientId) =>
    removeRecord(store, clientKey(clientId), policy),
  );
}

interface ChangeOptions {
  readonly wording: OutcomeWording;
  readonly output: ClientsFormat;
  readonly interruption: Interruption;
}

interface OutcomeWording {
  /** In JSON and YAML, when the client was written. */
  readonly outcome: 'disabled' | 'enabled' | 'removed';
  /** In text, after its `client_id`. */
  readonly written: string;
  readonly unchanged: string;
}

/** The outcome for one client in JSON and YAML. */
interface ClientOutcome {
  readonly client_id: string;
  readonly outcome: OutcomeWording['outcome'] | 'unchanged' | 'failed';
  /** Why it failed: words that follow its `client_id`. */
  readonly reason?: string;
}

/** Changes each client, also after one has failed, so that the same command can be run again. */
async function changeEachClient(
  clientIds: readonly string[],
  { wording, output, interruption }: ChangeOptions,
  change: (clientId: string) => Promise<ChangeResult>,
): Promise<number> {
  const distinct = new Set(clientIds);
  const outcomes: ClientOutcome[] = [];
  const changeAll = async (stop: AbortSignal) => {
    for (const clientId of distinct) {
      if (stop.aborted) throw stoppedAfter(outcomes.length, distinct.size);
      const outcome = outcomeOf(clientId, await changeIfValid(clientId, change), wording);
      outcomes.push(outcome);
      if (output === 'table') printOutcome(outcome, wording);
    }
  };
  try {
    await interruption.finishWrites(changeAll);
  } finally {
    // Clients that were changed before an error are reported, too.
    if (output !== 'table') printValue(output, { clients: outcomes });
  }
  return outcomes.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

function stoppedAfter(count: number, total: number): AdministrationError {
  return new AdministrationError([
    `${count} of ${total} clients were processed; running the command again processes the rest`,
  ]);
}

/** Only a valid `client_id` becomes part of a Redis key. */
async function changeIfValid(
  clientId: string,
  change: (clientId: string) => Promise<ChangeResult>,
): Promise<ChangeResult> {
  return isClientId(clientId) ? change(clientId) : { outcome: 'failed', reason: 'is not a valid client_id' };
}

function outcomeOf(clientId: string, result: ChangeResult, wording: OutcomeWording): ClientOutcome {
  if (result.outcome === 'failed') return { client_id: clientId, ...result };
  return { client_id: clientId, outcome: result.outcome === 'written' ? wording.outcome : 'unchanged' };
}

function printOutcome({ client_id: clientId, outcome, reason }: ClientOutcome, wording: OutcomeWording): void {
  const name = `client ${printable(clientId)}`;
  if (outcome === 'failed') printProblem(`${name} ${reason}`);
  else console.log(`${name} ${outcome === 'unchanged' ? wording.unchanged : wording.written}`);
}
