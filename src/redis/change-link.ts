import { Redis } from 'ioredis';
import { connectionOptions, type RedisAccess } from './connection-options.ts';
import { createRetry } from './create-retry.ts';
import { type Explain, explainFor } from './explain-for.ts';
import { createHeartbeat } from './heartbeat.ts';
import type { Endpoint } from './redis-address.ts';
import { runIdOf } from './server-identity.ts';

/**
 * How we hear of changes: Redis itself tells of every one (client tracking); or only what our own commands write is told;
 * or nothing is.
 */
export type Notification = 'tracking' | 'notices' | 'none';

export interface ChangeLinkOptions {
  readonly access: RedisAccess;
  /** A node of a cluster; otherwise the address says where. */
  readonly node?: Endpoint;
  /** What the keys begin with whose changes are to be told. */
  readonly prefixes: readonly string[];
  /** Where our own commands tell what they change. */
  readonly channel: string;
  readonly onChanged: (keys: readonly string[]) => void;
  /** Anything may have changed. */
  readonly onAnyChanged: () => void;
  /** Told of each change of the kind of notification, with why it is not tracking. */
  readonly onNotification: (notification: Notification, problem: string | undefined) => void;
}

/** A connection to one server on which it tells what changes. */
export interface ChangeLink {
  /** Up to when every change has been told, by `performance.now()`. */
  readonly toldUntil: number;
  readonly notification: Notification;
  /** The server, as {@link runIdOf} says; undefined while there is none. */
  readonly runId: string | undefined;
  /** Lets go of the connection, if there is one, so that another is made. */
  reconnect(): void;
  close(): void;
}

const INVALIDATE = '__redis__:invalidate';
const COMMAND_MILLISECONDS = 1_000;
/** An ACL may be mended at any time; only a new connection can begin to track. */
const TRACKING_AGAIN_MILLISECONDS = 60_000;

/**
 * Opens one, and arms it again after each reconnection: of what happened between, nothing was told.
 *
 * One connection both tracks and listens: with RESP2 Redis sends what it invalidates to a connection that is named, and
 * a connection may name itself. So there are not two that could be lost one without the other.
 */
export function openChangeLink(options: ChangeLinkOptions): ChangeLink {
  const { access, node, channel, onChanged, onAnyChanged } = options;
  const explain = explainFor(access);
  const redis = new Redis({
    ...connectionOptions(access, COMMAND_MILLISECONDS),
    ...node,
    protocol: 2,
    autoResubscribe: false,
  });
  const heartbeat = createHeartbeat({
    redis,
    onSilent: () => redis.disconnect(true),
    // Only a connection that is subscribed answers with a list.
    isProof: Array.isArray,
  });
  let notification: Notification = 'none';
  let runId: string | undefined;
  const enter = (next: Notification, problem?: string) => {
    if (isClosed) return;
    notification = next;
    options.onNotification(next, problem);
  };
  let isClosed = false;
  const reconnect = () => {
    if (!isClosed && redis.status === 'ready') redis.disconnect(true);
  };
  const again = createRetry(reconnect);
  let trackingAgain: NodeJS.Timeout | undefined;
  redis.on('ready', async () => {
    try {
      // Before it subscribes: after that there is little that it may ask.
      const server = await runIdOf(redis);
      const { armed, problem } = await arm(redis, options, explain);
      runId = server;
      again.succeeded();
      heartbeat.begin();
      enter(armed, problem);
      onAnyChanged();
      if (problem?.includes('NOPERM')) trackingAgain = setTimeout(reconnect, TRACKING_AGAIN_MILLISECONDS).unref();
    } catch (error) {
      enter('none', explain(error as Error));
      again.failed();
    }
  });
  redis.on('close', () => {
    clearTimeout(trackingAgain);
    heartbeat.end();
    runId = undefined;
    if (notification !== 'none') enter('none', 'the connection was lost');
  });
  redis.on('error', (error: Error) => enter('none', explain(error)));
  redis.on('messageBuffer', (source: Buffer, message: unknown) => {
    if (source.toString() === channel) onChanged([String(message)]);
    else if (Array.isArray(message)) onChanged(message.map(String));
    else onAnyChanged();
  });
  return {
    get toldUntil() {
      return heartbeat.provenAt;
    },
    get notification() {
      return notification;
    },
    get runId() {
      return runId;
    },
    reconnect,
    close: () => {
      isClosed = true;
      clearTimeout(trackingAgain);
      heartbeat.end();
      redis.disconnect();
    },
  };
}

interface Armed {
  readonly armed: Exclude<Notification, 'none'>;
  readonly problem: string | undefined;
}

async function arm(redis: Redis, { prefixes, channel }: ChangeLinkOptions, explain: Explain): Promise<Armed> {
  const refused = (await refusal(track(redis, prefixes))) ?? (await refusal(redis.subscribe(INVALIDATE)));
  const problem = refused && explain(refused);
  if (problem === undefined) return { armed: 'tracking', problem };
  await redis.subscribe(channel);
  return { armed: 'notices', problem };
}

/** What Redis says where it says no. Anything else is a connection that does not work. */
async function refusal(answer: Promise<unknown>): Promise<Error | undefined> {
  try {
    await answer;
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return error;
    throw error;
  }
}

async function track(redis: Redis, prefixes: readonly string[]): Promise<void> {
  const scope = prefixes.flatMap((prefix) => ['PREFIX', prefix]);
  const id = String(await redis.client('ID'));
  await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...scope);
}
