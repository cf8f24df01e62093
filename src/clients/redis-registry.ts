import { invalidClient, OAuthError } from '../oauth/oauth-error.ts';
import { openRedis, type RedisConnection } from '../redis/redis-connection.ts';
import type { RedisAddress } from '../redis/redis-url.ts';
import type { Client } from './client.ts';
import type { RegistrationPolicy } from './findings.ts';
import { readClient } from './read-client.ts';
import type { Registry } from './registry.ts';

export interface RedisRegistryOptions {
  readonly address: RedisAddress;
  /** What all our keys begin with; `countersign:` unless configured otherwise. */
  readonly keyPrefix: string;
  readonly policy: RegistrationPolicy;
  readonly now: () => number;
  /** Told of each change of the connection's state: `undefined` is up, a text says why it is down. */
  readonly onConnection: (problem: string | undefined) => void;
}

const RETRY_AFTER_SECONDS = 2;

/**
 * A registry over Redis: one JSON value for each client, at `{prefix}client:{client_id}`, read for each request.
 * It is there as soon as the first attempt to connect has succeeded or failed, and goes on trying by itself.
 */
export async function createRedisRegistry(options: RedisRegistryOptions): Promise<Registry> {
  const { address, keyPrefix, policy, now, onConnection } = options;
  const connection = await openRedis({ address, tls: {}, commandMilliseconds: 500, onConnection });
  return {
    description: `Redis at ${address.description}, keys ${keyPrefix}client:*`,
    find: async (clientId) => {
      const key = `${keyPrefix}client:${clientId}`;
      const text = await get(connection, key);
      return text === null ? undefined : parseRecord(text, clientId, key, policy, now());
    },
    close: async () => connection.redis.disconnect(),
  };
}

async function get({ redis, problem }: RedisConnection, key: string): Promise<string | null> {
  if (problem !== undefined) throw unavailable(key, problem);
  try {
    return await redis.get(key);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Another kind of value under our key: what is there is not a record, and Redis is well.
    if (message.startsWith('WRONGTYPE')) throw poisoned(key, message);
    throw unavailable(key, message);
  }
}

function unavailable(key: string, problem: string): OAuthError {
  return new OAuthError('temporarily_unavailable', {
    description: 'The server cannot answer at the moment; try again.',
    reason: `Redis cannot be asked for ${key}: ${problem}`,
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
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
