import { hash } from 'node:crypto';
import type { LoadResult } from '../../cache/near-cache.ts';
import {
  type CommandExecutor,
  type GuardedRedis,
  isWrongType,
  RedisUnavailableError,
} from '../../redis/guarded-redis.ts';
import { abbreviate } from '../../text.ts';
import { type Diagnostic, formatDiagnostic } from '../diagnostics.ts';
import type { JsonObject } from '../json-value.ts';
import { decodeRecord } from '../stored-record.ts';
import type { DataLossDetector } from './data-loss.ts';

/** The parsed value of the key of a record. */
export type StoredRecord<Value> =
  /** `digest`: of the value that the record was parsed from. */
  | { readonly kind: 'record'; readonly record: Value; readonly digest: string }
  | { readonly kind: 'none' }
  /** The value is not a valid record. `reason` names the key and the errors. */
  | { readonly kind: 'invalid'; readonly reason: string };

/** Where the records of one kind are, and how they are read. */
export interface RecordSource<Value> {
  readonly kind: 'client' | 'resource';
  readonly redis: GuardedRedis;
  /** Executes GET. */
  readonly execute: CommandExecutor;
  /** Of the key of a record; its name follows. */
  readonly prefix: string;
  /** A record that was parsed from an equal value counts as equal. */
  readonly parse: (name: string, record: JsonObject) => RecordParseResult<Value>;
  readonly dataLoss: DataLossDetector;
}

type RecordParseResult<Value> =
  | { readonly ok: true; readonly record: Value }
  | { readonly ok: false; readonly errors: readonly Diagnostic[] };

/**
 * Loads a record from Redis. What was derived from the previous record, such as a minted token, counts for that very object.
 *
 * @param previous of the same name; returned if the value in Redis is still the one that it was parsed from
 * @throws {RedisUnavailableError} also if the record is missing because Redis lost all records
 */
export async function loadRecord<Value>(
  name: string,
  source: RecordSource<Value>,
  previous?: StoredRecord<Value>,
): Promise<LoadResult<StoredRecord<Value>>> {
  const read = () => readRecord(name, source, previous);
  return (await unlessLost(source.dataLoss, read)) ?? { kind: 'absent', value: { kind: 'none' }, bytes: 0 };
}

/**
 * Reads something that may be missing.
 *
 * @returns undefined if it is missing, although Redis has not lost its records
 * @throws {RedisUnavailableError}
 */
export async function unlessLost<Value>(
  dataLoss: DataLossDetector,
  read: () => Promise<Value | undefined>,
): Promise<Value | undefined> {
  const found = await read();
  if (found !== undefined) return found;
  if (await dataLoss.hasLostData()) {
    throw new RedisUnavailableError(
      'all client records are gone from Redis; restore them with `countersign clients apply`',
    );
  }
  // The records may have been restored, and then the marker, after the first read.
  return read();
}

async function readRecord<Value>(
  name: string,
  source: RecordSource<Value>,
  previous: StoredRecord<Value> | undefined,
): Promise<LoadResult<StoredRecord<Value>> | undefined> {
  const key = `${source.prefix}${name}`;
  const [value, lifetime] = await Promise.all([getValue(source.execute, key), getLifetime(source.redis, key)]);
  if (value === null) return undefined;
  const parsed = 'wrongType' in value ? value.wrongType : parseValue(value, name, source, previous);
  if (typeof parsed !== 'string') return { ...parsed, ...lifetime };
  const reason = abbreviate(`the value of ${key} is not a ${source.kind} record: ${parsed}`);
  return { kind: 'absent', value: { kind: 'invalid', reason }, bytes: BYTES_PER_RECORD_BYTE * reason.length };
}

/** Bytes, because ioredis would silently replace invalid UTF-8. */
async function getValue(
  execute: CommandExecutor,
  key: string,
): Promise<Buffer | null | { readonly wrongType: string }> {
  try {
    return await execute((redis) => redis.getBuffer(key));
  } catch (error) {
    if (isWrongType(error)) return { wrongType: error.message };
    throw error;
  }
}

/** Redis deletes an expired key at some later time, and sends no invalidation before that. */
async function getLifetime({ executeIfPermitted }: GuardedRedis, key: string): Promise<{ readonly lifetime?: number }> {
  const milliseconds = await executeIfPermitted((redis) => redis.pttl(key));
  return milliseconds !== undefined && milliseconds >= 0 ? { lifetime: milliseconds } : {};
}

/** Measured: the heap size of a small client, and of each byte of a larger record. */
const BYTES_PER_RECORD = 1_500;
const BYTES_PER_RECORD_BYTE = 2;

/** @returns why the value is not a valid record, which may quote a large part of it */
function parseValue<Value>(
  value: Buffer,
  name: string,
  { parse }: RecordSource<Value>,
  previous: StoredRecord<Value> | undefined,
): LoadResult<StoredRecord<Value>> | string {
  const bytes = BYTES_PER_RECORD + BYTES_PER_RECORD_BYTE * value.length;
  const digest = hash('sha256', value, 'base64url');
  if (previous?.kind === 'record' && previous.digest === digest) return { kind: 'present', value: previous, bytes };
  const decoded = decodeRecord(value);
  if (typeof decoded === 'string') return decoded;
  const parsed = parse(name, decoded);
  if (!parsed.ok) return parsed.errors.map(formatDiagnostic).join('; ');
  return { kind: 'present', value: { kind: 'record', record: parsed.record, digest }, bytes };
}
