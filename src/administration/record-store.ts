import type { RegistryKeys } from '../clients/registry/registry.ts';
import { scanKeys } from '../redis/commands/scan.ts';
import { openSets } from '../redis/commands/sets.ts';
import { type StoredValue, valueReader, valueReplacer } from '../redis/commands/values.ts';
import type { RedisConnection } from '../redis/connection.ts';
import { type RecordKey, type RecordType, recordTypes } from '../resources/record-types.ts';
import { AdministrationError } from './administration-error.ts';

/** The records in Redis and their index, in batches. Each method throws AdministrationError if Redis fails. */
export interface RecordStore {
  read(keys: readonly RecordKey[]): Promise<readonly StoredValue[]>;
  /** The ids of the records that the index names for each key. They are candidates: the records decide. */
  findOwners(keys: readonly IndexKey[]): Promise<readonly (readonly string[])[]>;
  addIndexEntries(entries: readonly IndexEntry[]): Promise<void>;
  removeIndexEntries(entries: readonly IndexEntry[]): Promise<void>;
  /** @returns for each whether it was written; false when its value is no longer the expected one */
  write(writes: readonly RecordWrite[]): readonly Promise<boolean>[];
  /** Marks this Redis as holding records. Call it after they were written. */
  writeMarker(): Promise<MarkerStatus>;
  hasMarker(): Promise<boolean>;
  /**
   * The ids of all records of a type that have a value, in batches; some may be repeated.
   *
   * @param pattern a glob of Redis
   */
  scanIds(type: RecordType, pattern?: string): AsyncGenerator<readonly string[]>;
}

/** A key of the index of clients, which is an identity, or of that of resources, which is an audience. */
interface IndexKey {
  readonly type: RecordType;
  readonly indexKey: string;
}

/** Names a record for a key of the index: certificates with this identity, or tokens for this audience, may be for it. */
export interface IndexEntry extends IndexKey, RecordKey {}

/** Replaces the value of a record if it is still the expected one. `next` undefined removes it. */
export interface RecordWrite extends RecordKey {
  readonly expected: StoredValue;
  readonly next: string | undefined;
}

/** Whether Redis had the marker already. `written`: it is a new Redis, or one that has lost its data. */
export type MarkerStatus = 'present' | 'written';

/** Reports how many records a long operation has processed, and of how many where the total is known. */
export type Progress = (done: 'compared' | 'scanned' | 'written' | 'read', count: number, total?: number) => void;

const MARKER = JSON.stringify({ format: 1 });

/** @param description of Redis, for messages */
export function openRecordStore(
  { redis, explain }: RedisConnection,
  keys: RegistryKeys,
  description: string,
): RecordStore {
  const execute = withExplainedErrors(description, explain);
  const [readValues, replaceValues, sets] = [
    valueReader(redis),
    valueReplacer(redis, keys.changesChannel),
    openSets(redis, keys.changesChannel),
  ];
  const prefixes = { client: keys.clientPrefix, resource: keys.resourcePrefix } satisfies Record<RecordType, string>;
  const indexPrefixes = { client: keys.identityPrefix, resource: keys.audiencePrefix } satisfies typeof prefixes;
  const recordKey = ({ type, id }: RecordKey) => `${prefixes[type]}${id}`;
  const setKey = ({ type, indexKey }: IndexKey) => `${indexPrefixes[type]}${indexKey}`;
  const memberOf = (entry: IndexEntry) => ({ key: setKey(entry), member: entry.id });
  return {
    read: (records) => execute(readValues(records.map(recordKey))),
    findOwners: (indexKeys) => execute(sets.members(indexKeys.map(setKey))),
    addIndexEntries: (entries) => execute(sets.add(entries.map(memberOf))),
    removeIndexEntries: (entries) => execute(sets.remove(entries.map(memberOf))),
    write: (writes) => replaceValues(writes.map((write) => ({ key: recordKey(write), ...write }))).map(execute),
    writeMarker: async () => {
      const [found] = await execute(readValues([keys.marker]));
      if (found?.type !== 'string' || found.text !== MARKER) await execute(redis.set(keys.marker, MARKER));
      // Servers accept any value as the marker.
      return found?.type === 'none' ? 'written' : 'present';
    },
    hasMarker: async () => {
      const [found] = await execute(readValues([keys.marker]));
      return found !== undefined && found.type !== 'none';
    },
    scanIds: (type, pattern) => {
      const found = scanKeys(redis, prefixes[type], pattern);
      return idsOf(found, { prefix: prefixes[type], isId: recordTypes[type].isId }, execute);
    },
  };
}

/** Keys that do not end in a valid id are skipped: the server never reads them. */
async function* idsOf(
  keys: AsyncGenerator<string[]>,
  { prefix, isId }: { readonly prefix: string; readonly isId: (text: string) => boolean },
  execute: ExecuteCommand,
): AsyncGenerator<readonly string[]> {
  while (true) {
    const { value, done } = await execute(keys.next());
    if (done) return;
    yield value.map((key: string) => key.slice(prefix.length)).filter(isId);
  }
}

/** Waits for the reply of Redis. */
export type ExecuteCommand = <Reply>(command: Promise<Reply>) => Promise<Reply>;

/**
 * Turns errors of Redis and of the connection into AdministrationErrors that explain them.
 *
 * @param description of Redis, for messages
 */
export function withExplainedErrors(description: string, explain: RedisConnection['explain']): ExecuteCommand {
  return async (command) => {
    try {
      return await command;
    } catch (error) {
      if (!(error instanceof Error) || error instanceof AdministrationError) throw error;
      const isErrorReply = error.name === 'ReplyError';
      const hasReplied = isErrorReply || error.name === 'UnexpectedReplyError';
      const what = hasReplied ? 'returned an error' : 'did not reply';
      throw new AdministrationError([`Redis at ${description} ${what}: ${explain(error)}`], { isErrorReply });
    }
  };
}
