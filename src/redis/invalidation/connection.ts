import { Redis } from 'ioredis';
import { connectionOptions, followCredentials, type RedisAccess } from '../connect.ts';
import { type ErrorExplainer, explainerFor } from '../explain.ts';
import { createHeartbeat, type Heartbeat } from '../heartbeat.ts';
import { createRetry, reconnectOnEnd } from '../reconnect.ts';
import { UnexpectedReplyError } from '../reply-shapes.ts';
import type { Suspicion } from '../suspicion.ts';
import type { Endpoint } from '../url.ts';
import { enableTracking, type TrackedKeys, type TrackingStatus } from './enable-tracking.ts';
import { readRunId } from './server-identity.ts';

/**
 * Where invalidation messages come from: `tracking`, from Redis itself, for every change (client-side caching); `pubsub`,
 * only from our own commands, for the changes they make; `none`.
 */
export type InvalidationMode = TrackingStatus['mode'] | 'none';

export interface InvalidationConnectionOptions extends TrackedKeys {
  readonly access: RedisAccess;
  /** Raised while a reply is overdue. */
  readonly suspicion?: Suspicion;
  readonly onInvalidate: (keys: readonly string[]) => void;
  /** Called when any key may have changed. */
  readonly onFlush: () => void;
  /** Called on each change of mode with the reason why it is not `tracking`, if known. */
  readonly onMode: (mode: InvalidationMode, problem: string | undefined) => void;
}

const COMMAND_TIMEOUT_MILLISECONDS = 1_000;
/** The server itself does not know CLIENT TRACKING. */
const UNSUPPORTED = /unknown (?:sub)?command/i;
/** The ACL may be fixed at any time, but only a new connection can start tracking. */
const TRACKING_RETRY_MILLISECONDS = 60_000;

/**
 * A connection to one server that receives its invalidation messages until it is closed. Each reconnection enables
 * tracking again and flushes: changes made in between were not announced.
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
  #hasConnected = false;
  #isClosed = false;

  /** @param node a cluster node; by default, the server that the address names */
  constructor(options: InvalidationConnectionOptions, node?: Endpoint) {
    this.#options = options;
    this.#explain = explainerFor(options.access, () => this.#hasConnected);
    this.#redis = connect(options.access, node);
    this.#heartbeat = createHeartbeat({
      redis: this.#redis,
      onSilent: () => {
        this.#redis.disconnect(true);
        options.suspicion?.confirm();
      },
      // With RESP2, only a subscribed connection replies to PING with an array.
      isValidReply: Array.isArray,
      onBeat: (isOverdue) => options.suspicion?.set(this, isOverdue),
    });
    reconnectOnEnd(this.#redis, () => this.#isClosed);
    this.#redis.on('ready', () => this.#onReady());
    this.#redis.on('close', () => this.#onClose());
    this.#redis.on('error', (error: Error) => this.#setMode('none', this.#explain(error)));
    this.#redis.on('messageBuffer', (channel: Buffer, message: unknown) =>
      this.#onMessage(channel.toString(), message),
    );
  }

  /** All changes up to this time, by `performance.now()`, have been delivered. */
  get syncedUntil(): number {
    return this.#heartbeat.lastProbeAt;
  }

  get mode(): InvalidationMode {
    return this.#mode;
  }

  /** The server, as {@link readRunId} returns it; undefined while tracking is not enabled. */
  get runId(): string | undefined {
    return this.#runId;
  }

  /** Drops the connection, if there is one, so that a new one is made. */
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
    this.#hasConnected = true;
    this.#redis.options.commandTimeout = COMMAND_TIMEOUT_MILLISECONDS;
    try {
      // A refusal is reported here; the heartbeat would only notice that there is no valid reply.
      const pong: unknown = await this.#redis.ping();
      if (pong !== 'PONG') throw new UnexpectedReplyError('unexpected reply to PING');
      // Before tracking is enabled: a subscribed connection accepts few commands.
      const runId = await readRunId(this.#redis);
      this.#onEnabled(runId, await enableTracking(this.#redis, this.#options, this.#explain));
    } catch (error) {
      // ioredis rejects with errors only.
      this.#setMode('none', this.#explain(error as Error));
      this.#enableRetry.failed();
    }
  }

  #onEnabled(runId: string, { mode, problem }: TrackingStatus): void {
    this.#runId = runId;
    this.#enableRetry.succeeded();
    // The heartbeat itself ends a connection without replies: a timer for each PING is not needed.
    delete this.#redis.options.commandTimeout;
    this.#heartbeat.start();
    this.#setMode(mode, problem);
    this.#options.onFlush();
    if (problem === undefined || UNSUPPORTED.test(problem)) return;
    this.#trackingRetryTimer = setTimeout(() => this.reconnect(), TRACKING_RETRY_MILLISECONDS).unref();
  }

  #onClose(): void {
    clearTimeout(this.#trackingRetryTimer);
    this.#heartbeat.stop();
    this.#options.suspicion?.set(this, false);
    this.#runId = undefined;
    if (this.#mode !== 'none') this.#setMode('none', 'connection lost');
  }

  #setMode(mode: InvalidationMode, problem: string | undefined): void {
    if (this.#isClosed) return;
    this.#mode = mode;
    this.#options.onMode(mode, problem);
  }

  /** Redis sends an array of keys, or null after FLUSHALL or FLUSHDB; our own commands publish one key. */
  #onMessage(channel: string, message: unknown): void {
    const { onInvalidate, onFlush } = this.#options;
    if (channel === this.#options.channel) onInvalidate([String(message)]);
    else if (Array.isArray(message)) onInvalidate(message.map(String));
    else onFlush();
  }
}

function connect(access: RedisAccess, node: Endpoint | undefined): Redis {
  const redis = new Redis({
    ...connectionOptions(access, COMMAND_TIMEOUT_MILLISECONDS),
    ...node,
    protocol: 2,
    autoResubscribe: false,
  });
  return followCredentials(redis, access.address);
}
