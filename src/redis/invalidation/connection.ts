import { Redis } from 'ioredis';
import { connectionOptions, type RedisAccess } from '../connect.ts';
import { type ErrorExplainer, explainerFor } from '../explain.ts';
import { createHeartbeat, type Heartbeat } from '../heartbeat.ts';
import { createRetry, reconnectOnEnd } from '../reconnect.ts';
import type { Endpoint } from '../url.ts';
import { readRunId } from './server-identity.ts';

/**
 * How we hear of changes: Redis itself tells of every one (client tracking); or only what our own commands write is told;
 * or nothing is.
 */
export type InvalidationMode = TrackingStatus['mode'] | 'none';

export interface InvalidationConnectionOptions extends TrackedKeys {
  readonly access: RedisAccess;
  readonly onInvalidate: (keys: readonly string[]) => void;
  /** Anything may have changed. */
  readonly onFlush: () => void;
  /** Told of each change of the kind of mode, with why it is not tracking. */
  readonly onMode: (notification: InvalidationMode, problem: string | undefined) => void;
}

const COMMAND_TIMEOUT_MILLISECONDS = 1_000;
/** An ACL may be mended at any time; only a new connection can begin to track. */
const TRACKING_RETRY_MILLISECONDS = 60_000;

/**
 * A connection to one server on which it tells what changes, from when it is made until it is closed. It is armed again
 * after each reconnection: of what happened between, nothing was told.
 */
export class InvalidationConnection {
  readonly #options: InvalidationConnectionOptions;
  readonly #explain: ErrorExplainer;
  readonly #redis: Redis;
  readonly #heartbeat: Heartbeat;
  readonly #enableRetry = createRetry(() => this.reconnect());
  #trackingRetryTimer: NodeJS.Timeout | undefined;
  #mode: InvalidationMode = 'none';
  #runId: string | undefined;
  #isClosed = false;

  /** @param node of a cluster; otherwise the address says where */
  constructor(options: InvalidationConnectionOptions, node?: Endpoint) {
    this.#options = options;
    this.#explain = explainerFor(options.access);
    this.#redis = connect(options.access, node);
    this.#heartbeat = createHeartbeat({
      redis: this.#redis,
      onSilent: () => this.#redis.disconnect(true),
      // Only a connection that is subscribed answers with a list.
      isValidReply: Array.isArray,
    });
    reconnectOnEnd(this.#redis, () => this.#isClosed);
    this.#redis.on('ready', () => this.#onReady());
    this.#redis.on('close', () => this.#onClose());
    this.#redis.on('error', (error: Error) => this.#setMode('none', this.#explain(error)));
    this.#redis.on('messageBuffer', (source: Buffer, message: unknown) => this.#onMessage(source.toString(), message));
  }

  /** Up to when every change has been told, by `performance.now()`. */
  get syncedUntil(): number {
    return this.#heartbeat.lastProbeAt;
  }

  get mode(): InvalidationMode {
    return this.#mode;
  }

  /** The server, as {@link readRunId} says; undefined while there is none. */
  get runId(): string | undefined {
    return this.#runId;
  }

  /** Lets go of the connection, if there is one, so that another is made. */
  reconnect(): void {
    if (!this.#isClosed && this.#redis.status === 'ready') this.#redis.disconnect(true);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#trackingRetryTimer);
    this.#heartbeat.stop();
    this.#redis.disconnect();
  }

  async #onReady(): Promise<void> {
    try {
      // Before it is armed: after that there is little that it may ask.
      const server = await readRunId(this.#redis);
      this.#onEnabled(server, await enableTracking(this.#redis, this.#options, this.#explain));
    } catch (error) {
      this.#setMode('none', this.#explain(error as Error));
      this.#enableRetry.failed();
    }
  }

  #onEnabled(server: string, { mode, problem }: TrackingStatus): void {
    this.#runId = server;
    this.#enableRetry.succeeded();
    this.#heartbeat.start();
    this.#setMode(mode, problem);
    this.#options.onFlush();
    if (!problem?.includes('NOPERM')) return;
    this.#trackingRetryTimer = setTimeout(() => this.reconnect(), TRACKING_RETRY_MILLISECONDS).unref();
  }

  #onClose(): void {
    clearTimeout(this.#trackingRetryTimer);
    this.#heartbeat.stop();
    this.#runId = undefined;
    if (this.#mode !== 'none') this.#setMode('none', 'the connection was lost');
  }

  #setMode(next: InvalidationMode, problem: string | undefined): void {
    if (this.#isClosed) return;
    this.#mode = next;
    this.#options.onMode(next, problem);
  }

  /** Redis names the keys in a list, or none where all may have changed (FLUSHALL); our own commands name one. */
  #onMessage(source: string, message: unknown): void {
    const { channel, onInvalidate, onFlush } = this.#options;
    if (source === channel) onInvalidate([String(message)]);
    else if (Array.isArray(message)) onInvalidate(message.map(String));
    else onFlush();
  }
}

function connect(access: RedisAccess, node: Endpoint | undefined): Redis {
  return new Redis({
    ...connectionOptions(access, COMMAND_TIMEOUT_MILLISECONDS),
    ...node,
    protocol: 2,
    autoResubscribe: false,
  });
}

/** What is to be told of. */
export interface TrackedKeys {
  /** What the keys begin with whose changes are to be told. */
  readonly prefixes: readonly string[];
  /** Where our own commands tell what they change. */
  readonly channel: string;
}

/** Who tells of changes now; where it is not Redis itself, why it does not. */
export type TrackingStatus =
  | { readonly mode: 'tracking'; readonly problem: undefined }
  | { readonly mode: 'pubsub'; readonly problem: string };

const INVALIDATE = '__redis__:invalidate';

/**
 * Makes a new connection one on which changes are told. After that there is little else that may be asked on it.
 *
 * One connection both tracks and listens: with RESP2 Redis sends what it invalidates to a connection that is named, and
 * a connection may name itself. So there are not two that could be lost one without the other.
 *
 * @throws where Redis lets it not even listen to the channel, or the connection does not work
 */
export async function enableTracking(
  redis: Redis,
  { prefixes, channel }: TrackedKeys,
  explain: ErrorExplainer,
): Promise<TrackingStatus> {
  const refused = (await replyError(startTracking(redis, prefixes))) ?? (await replyError(redis.subscribe(INVALIDATE)));
  if (refused === undefined) return { mode: 'tracking', problem: undefined };
  await redis.subscribe(channel);
  return { mode: 'pubsub', problem: explain(refused) };
}

/** What Redis says where it says no. Anything else is a connection that does not work. */
async function replyError(answer: Promise<unknown>): Promise<Error | undefined> {
  try {
    await answer;
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return error;
    throw error;
  }
}

async function startTracking(redis: Redis, prefixes: readonly string[]): Promise<void> {
  const scope = prefixes.flatMap((prefix) => ['PREFIX', prefix]);
  const id = String(await redis.client('ID'));
  await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...scope);
}
