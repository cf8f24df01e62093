import { changeRecord, removeRecord } from '../../administration/change-record.ts';
import type { RecordStore } from '../../administration/record-store.ts';
import type { JsonObject } from '../../clients/json-value.ts';
import type { Environment } from '../../settings/settings.ts';
import { changeEach, removalWording } from '../change-each.ts';
import { confirmRemoval, MAX_SMALL_REMOVAL, type Removal } from '../confirm-removal.ts';
import { requireIds } from '../record-ids.ts';
import { openAdministration } from './administration.ts';
import type { ClientsFormat } from './options.ts';

interface EnableCommandOptions {
  readonly isEnabled: boolean;
  readonly output: ClientsFormat;
}

/**
 * `countersign clients enable ID…` and `disable ID…`: changes their records, and prints the outcome of each.
 *
 * @returns the exit code: 0, or 1 when a client is missing or its record is invalid
 * @throws {ConfigurationError} when a client_id is malformed: no client is changed
 * @throws {OperatorError} when Redis fails
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function enableClients(
  env: Environment,
  clientIds: readonly string[],
  { isEnabled, output }: EnableCommandOptions,
): Promise<number> {
  requireIds('client', clientIds);
  await using administration = await openAdministration(env);
  const { store, interruption } = administration;
  const state = isEnabled ? 'enabled' : 'disabled';
  const wording = { outcome: state, written: `is now ${state}`, unchanged: `was already ${state}` } as const;
  const change = isEnabled ? enableRecord : disableRecord;
  return await changeEach('client', clientIds, { wording, output, interruption }, ({ id }) =>
    changeRecord(store, id, change),
  );
}

function disableRecord(record: JsonObject): JsonObject | undefined {
  return record.enabled === false ? undefined : { ...record, enabled: false };
}

/** Most files leave the default out. */
function enableRecord({ enabled, ...others }: JsonObject): JsonObject | undefined {
  return enabled === undefined || enabled === true ? undefined : others;
}

interface RemoveCommandOptions {
  readonly output: ClientsFormat;
  /** Confirms the removal of many clients. */
  readonly yes: boolean;
}

/**
 * `countersign clients remove ID…`: removes clients from Redis, and prints the outcome of each.
 *
 * @returns the exit code: 0, or 1 when a client is missing
 * @throws {ConfigurationError} when a client_id is malformed: no client is changed
 * @throws {OperatorError} when Redis fails, or when the removal of many clients is not confirmed
 * @throws {InterruptedError} on SIGINT or SIGTERM
 */
export async function removeClients(
  env: Environment,
  clientIds: readonly string[],
  { output, yes }: RemoveCommandOptions,
): Promise<number> {
  requireIds('client', clientIds);
  await using administration = await openAdministration(env);
  const { store, policy, interruption } = administration;
  const client = await interruption.abortable(countRemoval(store, clientIds));
  await confirmRemoval({ client, resource: { removed: 0, total: 0 } }, { yes, interruption });
  const options = { wording: removalWording, output, interruption };
  return await changeEach('client', clientIds, options, (key) => removeRecord(store, key, policy));
}

/** The clients are only counted if there may be too many to remove. */
async function countRemoval(store: RecordStore, clientIds: readonly string[]): Promise<Removal> {
  const distinct = new Set(clientIds);
  if (distinct.size <= MAX_SMALL_REMOVAL) return { removed: 0, total: 0 };
  const stored = new Set<string>();
  for await (const batch of store.scanIds('client')) for (const id of batch) stored.add(id);
  return { removed: [...distinct].filter((id) => stored.has(id)).length, total: stored.size };
}
