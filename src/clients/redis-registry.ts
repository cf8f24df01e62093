import { Redis, type RedisOptions } from 'ioredis';
import { invalidClient, OAuthError } from '../oauth/oauth-error.ts';
import type { Client } from './client.ts';
import type { RegistrationPolicy } from './findings.ts';
import { readClient } from './read-client.ts';
import type { Registry } from './registry.ts';

export interface RedisRegistryOptions {
  /** `redis://`, `rediss://` or `unix://`, with credentials and database as usual. */
  readonly url: string;
  /** What all our keys begin with; `countersign:` unless configured otherwise. */
  readonly keyPrefix: string;
  readonly policy: RegistrationPolicy;
  readonly now: () => number;
  /** Told of each change of the connection's state: `undefined` is up, a text says why it is down. */
  readonly onConnection: (problem: string | undefined) => void;
}

/** ioredis waits for ever by default, for a server that is away as for one that is silent. We answer 503 instead. */
const boundedWaiting = {
  commandTimeout: 500,
  connectTimeout: 2000,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  autoResendUnfulfilledCommands: false,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 2000),
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const satisfies RedisOptions;

const RETRY_AFTER_SECONDS = 2;

/**
 * A registry over Redis: one JSON value for each client, at `{prefix}client:{client_id}`, read for each request.
 * It is there as soon as the first attempt to connect has succeeded or failed, and goes on trying by itself.
 */
export async function createRedisRegistry(options: RedisRegistryOptions): Promise<Registry> {
  const { url, keyPrefix, policy, now, onConnection } = options;
  const redis = connect(url);
  const report = onlyChanges(onConnection);
  redis.on('ready', () => report(undefined));
  redis.on('error', (error: Error) => report(error.message));
  await firstContact(redis);
  return {
    description: `Redis at ${withoutCredentials(url)}, keys ${keyPrefix}client:*`,
    find: async (clientId) => {
      const key = `${keyPrefix}client:${clientId}`;
      const text = await get(redis, key);
      return text === null ? undefined : parseRecord(text, clientId, key, policy, now());
    },
    close: async () => redis.disconnect(),
  };
}

function firstContact(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    redis.once('ready', () => resolve());
    redis.once('error', () => resolve());
  });
}

/** ioredis reports every failed attempt; once is enough for the same problem. */
function onlyChanges(report: (problem: string | undefined) => void): (problem: string | undefined) => void {
  let last: string | undefined;
  return (problem) => {
    if (problem !== undefined && problem === last) return;
    last = problem;
    report(problem);
  };
}

function connect(url: string): Redis {
  if (!url.startsWith('unix:')) return new Redis(url, boundedWaiting);
  const { pathname, searchParams, username, password } = new URL(url);
  const credentials = { ...(username && { username }), ...(password && { password: decodeURIComponent(password) }) };
  return new Redis({ ...boundedWaiting, ...credentials, path: pathname, db: Number(searchParams.get('db') ?? 0) });
}

async function get(redis: Redis, key: string): Promise<string | null> {
  try {
    return await redis.get(key);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Another kind of value under our key: what is there is not a record, and Redis is well.
    if (message.startsWith('WRONGTYPE')) throw poisoned(key, message);
    throw new OAuthError('temporarily_unavailable', {
      description: 'The server cannot answer at the moment; try again.',
      reason: `Redis cannot be asked for ${key}: ${message}`,
      headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
    });
  }
}

function parseRecord(text: string, clientId: string, key: string, policy: RegistrationPolicy, now: number): Client {
  const read = readClient(parseJson(text, key), policy, now);
  if (!read.ok) throw poisoned(key, read.faults.map(({ field, message }) => `${field} ${message}`).join('; '));
  if (read.client.clientId !== clientId) throw poisoned(key, `client_id is "${read.client.clientId}"`);
  return read.client;
}

function parseJson(text: string, key: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw poisoned(key, 'not JSON');
  }
}

function poisoned(key: string, what: string): OAuthError {
  return invalidClient(`the value of ${key} is not a client record: ${what}`);
}

/** A URL as it may stand in a log. */
export function withoutCredentials(url: string): string {
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  return parsed.href;
}
