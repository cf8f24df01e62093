import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LogLine, type RunningCountersign, startCountersign } from './countersign.ts';
import type { HttpResponse } from './http-response.ts';
import { sendRequest } from './raw-http.ts';
import { connectRedis, keyPrefix, type RedisConnection, redisUrl } from './redis.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface ServerOptions {
  /** Environment variables in addition to the defaults, or instead of them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the redis-server of this test run. */
  readonly redisUrl?: string;
  /** For the signing key and the socket. Default: a new one. */
  readonly directory?: string;
}

/** A client record as an operator writes it, with the field names of RFC 7591 and RFC 8705. */
export type ClientRecord = { readonly client_id: string; readonly [field: string]: unknown };

/** The response to a request, and its audit event. */
export interface Decision {
  readonly response: HttpResponse;
  readonly event: LogLine;
}

/** The real `countersign serve`, with client records in a real Redis. */
export interface AuthorizationServer {
  readonly countersign: RunningCountersign;
  /** `unix:/path` or `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly redis: RedisConnection['client'];
  /** The path of the file that `COUNTERSIGN_SIGNING_KEY_FILE` names. */
  readonly signingKeyFile: string;
  readonly keyOf: (clientId: string) => string;
  readonly register: (record: ClientRecord) => Promise<void>;
  /** Sends, and collects the audit events of the request: none if the proxy responds itself. */
  readonly watch: <T>(send: () => Promise<T>) => Promise<{ response: T; events: readonly LogLine[] }>;
  /** Sends a request that must have exactly one audit event. */
  readonly decide: (send: () => Promise<HttpResponse>) => Promise<Decision>;
  readonly stop: () => Promise<void>;
}

export async function startAuthorizationServer(options: ServerOptions = {}): Promise<AuthorizationServer> {
  const { env = {}, directory = temporaryDirectory(), redisUrl: ownRedis = redisUrl() } = options;
  const prefix = keyPrefix();
  const signingKeyFile = writeSigningKey(directory);
  const defaults = {
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_LISTEN: `unix:${join(directory, 'countersign.sock')}`,
    COUNTERSIGN_SIGNING_KEY_FILE: signingKeyFile,
    COUNTERSIGN_REDIS_URL: ownRedis,
    COUNTERSIGN_REDIS_KEY_PREFIX: prefix,
    // Longer than the default, which has its own tests: the machine may be busy.
    COUNTERSIGN_REDIS_TIMEOUT: '2s',
  };
  const countersign = await startCountersign({ env: { ...defaults, ...env } });
  const redis = connectedWhenUsed(ownRedis);
  const keyOf = (clientId: string) => `${prefix}client:${clientId}`;
  const register = async (record: ClientRecord) => {
    await redis.client().set(keyOf(record.client_id), JSON.stringify(record));
  };
  const stop = async () => {
    redis.disconnect();
    await countersign.stop();
  };
  const watch = watcher(countersign);
  const decide = async (send: () => Promise<HttpResponse>) => onlyDecision(await watch(send));
  const facts = { countersign, url: countersign.url, signingKeyFile };
  return {
    ...facts,
    get redis() {
      return redis.client();
    },
    keyOf,
    register,
    watch,
    decide,
    stop,
  };
}

/** Connects on first use: tests of Sentinel and Cluster never use this connection. */
function connectedWhenUsed(url: string) {
  let client: RedisConnection['client'] | undefined;
  const connect = () => {
    const connected = connectRedis(url).client;
    connected.on('error', () => {}); // A test may stop its Redis; without a listener, ioredis would log the error.
    return connected;
  };
  return {
    client: () => {
      client ??= connect();
      return client;
    },
    disconnect: () => client?.disconnect(),
  };
}

function writeSigningKey(directory: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const file = join(directory, 'signing-key.pem');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return file;
}

/**
 * Events arrive through a pipe. After the request, a marker request goes directly to the server: once its event has
 * arrived, so have all earlier ones.
 */
function watcher(countersign: RunningCountersign): AuthorizationServer['watch'] {
  let markers = 0;
  return async (send) => {
    const seen = countersign.auditEvents().length;
    const response = await send();
    markers += 1;
    const marker = `end-of-request-${markers}`;
    await sendRequest(countersign.url, { body: { grant_type: 'client_credentials', client_id: marker } });
    const { client_id } = await countersign.waitForEvent((line) => line.client_id === marker);
    const events = countersign.auditEvents().slice(seen);
    return { response, events: events.filter((event) => event.client_id !== client_id) };
  };
}

function onlyDecision({ response, events }: { response: HttpResponse; events: readonly LogLine[] }): Decision {
  const [event, ...others] = events;
  if (event && others.length === 0) return { response, event };
  throw new Error(`${events.length} audit events for one request (${response.status} ${response.body})`);
}
