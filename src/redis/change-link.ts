import { Redis } from 'ioredis';
import { connectionOptions, type RedisAccess } from './connection-options.ts';
import { explainProblem } from './explain-problem.ts';
import { createHeartbeat } from './heartbeat.ts';
import type { Endpoint } from './redis-url.ts';

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
  close(): void;
}

const INVALIDATE = '__redis__:invalidate';
const COMMAND_MILLISECONDS = 1_000;
const LONGEST_PAUSE_MILLISECONDS = 2_000;

/**
 * Opens one, and arms it again after each reconnection: of what happened between, nothing was told.
 *
 * One connection both tracks and listens: with RESP2 Redis sends what it invalidates to a connection that is named, and
 * a connection may name itself. So there are not two that could be lost one without the other.
 */
export function openChangeLink(options: ChangeLinkOptions): ChangeLink {
  const { access, node, channel, onChanged, onAnyChanged } = options;
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
  const enter = (next: Notification, problem?: string) => {
    notification = next;
    options.onNotification(next, problem);
  };
  let failures = 0;
  redis.on('ready', async () => {
    try {
      const { armed, problem } = await arm(redis, options);
      failures = 0;
      heartbeat.begin();
      enter(armed, problem);
      onAnyChanged();
    } catch (error) {
      enter('none', explainProblem(error as Error));
      setTimeout(() => redis.status === 'ready' && redis.disconnect(true), pauseAfter(++failures)).unref();
    }
  });
  redis.on('close', () => {
    heartbeat.end();
    if (notification !== 'none') enter('none', 'the connection was lost');
  });
  redis.on('error', (error: Error) => enter('none', explainProblem(error)));
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
    close: () => {
      heartbeat.end();
      redis.disconnect();
    },
  };
}

function pauseAfter(failures: number): number {
  return Math.min(50 * 2 ** failures, LONGEST_PAUSE_MILLISECONDS);
}

interface Armed {
  readonly armed: Exclude<Notification, 'none'>;
  readonly problem: string | undefined;
}

async function arm(redis: Redis, { prefixes, channel }: ChangeLinkOptions): Promise<Armed> {
  const problem = await track(redis, prefixes);
  const isTracking = problem === undefined;
  await redis.subscribe(isTracking ? INVALIDATE : channel);
  return { armed: isTracking ? 'tracking' : 'notices', problem };
}

/** @returns why Redis does not track, or undefined where it does */
async function track(redis: Redis, prefixes: readonly string[]): Promise<string | undefined> {
  try {
    const id = String(await redis.client('ID'));
    const scope = prefixes.flatMap((prefix) => ['PREFIX', prefix]);
    await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...scope);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    // Redis answered, and does not know or allow it. Anything else is a connection that does not work.
    if (error instanceof Error && error.name === 'ReplyError') return message;
    throw error;
  }
}
