import type { RegistryKeys } from '../clients/registry/registry.ts';
import { isClientId } from '../oauth/grammar.ts';
import { scanKeys } from '../redis/commands/scan.ts';
import { openSets } from '../redis/commands/sets.ts';
import { type StoredValue, valueReader, valueReplacer } from '../redis/commands/values.ts';
import type { RedisConnection } from '../redis/connection.ts';
import { AdministrationError } from './administration-error.ts';

/** An entry of the index: by this identity a client may be known. */
export interface IndexEntry {
  readonly identityKey: string;
  readonly clientId: string;
}

/** What is to stand at a client's key where what was seen still does; nothing where `next` is undefined. */
export interface RecordWrite {
  readonly clientId: string;
  readonly expected: StoredValue;
  readonly next: string | undefined;
}

/** Whether Redis said already that there are records that we wrote. `written`: it did not, or it has lost them. */
export type MarkerStatus = 'present' | 'written';

/** The records in Redis and their index, many at a time. Each method throws AdministrationError where Redis fails. */
export interface RecordStore {
  read(scanClientIds: readonly string[]): Promise<readonly StoredValue[]>;
  /** Of each identity the clients that the index names: a hint, their records decide. */
  findOwners(identityKeys: readonly string[]): Promise<readonly (readonly string[])[]>;
  addIndexEntries(entries: readonly IndexEntry[]): Promise<void>;
  removeIndexEntries(entries: readonly IndexEntry[]): Promise<void>;
  /** Of each whether it was written; false where somebody else has written it since it was seen. */
  write(writes: readonly RecordWrite[]): readonly Promise<boolean>[];
  /** Says in Redis that there are records that we wrote. To be called after they were. */
  writeMarker(): Promise<MarkerStatus>;
  /** Whether Redis says so. */
  hasMarker(): Promise<boolean>;
  /** Of all records, some at a time, any maybe twice. `pattern` has the globs of Redis. */
  clientIds(pattern?: string): AsyncGenerator<readonly string[]>;
}

const MARKER = JSON.stringify({ format: 1 });

/** @param description of Redis, for messages */
export function openRecordStore(
  { redis, explain }: RedisConnection,
  keys: RegistryKeys,
  description: string,
): RecordStore {
  const ask = withExplainedErrors(description, explain);
  const [readValues, replaceValues, sets] = [
    valueReader(redis),
    valueReplacer(redis, keys.changesChannel),
    openSets(redis),
  ];
  const recordKey = (clientId: string) => `${keys.clientPrefix}${clientId}`;
  const identity = (key: string) => `${keys.identityPrefix}${key}`;
  const memberOf = ({ identityKey, clientId }: IndexEntry) => ({ key: identity(identityKey), member: clientId });
  return {
    read: (clientIds) => ask(readValues(clientIds.map(recordKey))),
    findOwners: (identityKeys) => ask(sets.members(identityKeys.map(identity))),
    addIndexEntries: (entries) => ask(sets.add(entries.map(memberOf))),
    removeIndexEntries: (entries) => ask(sets.remove(entries.map(memberOf))),
    write: (writes) => replaceValues(writes.map((write) => ({ key: recordKey(write.clientId), ...write }))).map(ask),
    writeMarker: async () => {
      const [found] = await ask(readValues([keys.marker]));
      if (found?.type !== 'string' || found.text !== MARKER) await ask(redis.set(keys.marker, MARKER));
      // To a server, whatever stands there is a marker.
      return found?.type === 'none' ? 'written' : 'present';
    },
    hasMarker: async () => {
      const [found] = await ask(readValues([keys.marker]));
      return found !== undefined && found.type !== 'none';
    },
    clientIds: (pattern) => clientIds(scanKeys(redis, keys.clientPrefix, pattern), keys.clientPrefix, ask),
  };
}

/** What is no client_id is nobody's record: the server never asks for it. */
async function* clientIds(
  keys: AsyncGenerator<string[]>,
  prefix: string,
  ask: ExecuteCommand,
): AsyncGenerator<readonly string[]> {
  while (true) {
    const { value, done } = await ask(keys.next());
    if (done) return;
    yield value.map((key: string) => key.slice(prefix.length)).filter(isClientId);
  }
}

/** Waits for an answer of Redis, and throws AdministrationError where there is none. */
export type ExecuteCommand = <Answer>(asked: Promise<Answer>) => Promise<Answer>;

/**
 * Says why Redis did not answer, or what it answered where that is no.
 *
 * @param description of Redis, for messages
 */
export function withExplainedErrors(description: string, explain: RedisConnection['explain']): ExecuteCommand {
  return async (asked) => {
    try {
      return await asked;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const isRefusal = error.name === 'ReplyError';
      const what = isRefusal ? 'says no' : 'did not answer';
      throw new AdministrationError([`Redis at ${description} ${what}: ${explain(error)}`], { isRefusal });
    }
  };
}

/** Told how far a long piece of work is: what was done to how many clients, and of how many where that is known. */
export type Progress = (done: 'compared' | 'looked through' | 'written' | 'read', count: number, of?: number) => void;
