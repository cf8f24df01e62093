import type { Redis } from 'ioredis';
import type { ErrorExplainer } from '../explain.ts';
import { isErrorReply, requireOk } from '../reply-shapes.ts';

export interface TrackedKeys {
  /** Key prefixes to track (`BCAST`). */
  readonly prefixes: readonly string[];
  /** Where our own commands publish the keys that they change. */
  readonly channel: string;
}

/** How changes are announced on a connection; when not by Redis itself, why not. */
export type TrackingStatus =
  | { readonly mode: 'tracking'; readonly problem: undefined }
  | { readonly mode: 'pubsub'; readonly problem: string };

const INVALIDATION_CHANNEL = '__redis__:invalidate';

/**
 * Enables client tracking on a new connection, or subscribes to our own channel when Redis refuses. Afterwards the
 * connection accepts few other commands.
 *
 * A single connection tracks and subscribes: with RESP2, Redis sends invalidation messages to the connection that
 * REDIRECT names, which may be the tracking one. Two connections could be lost one without the other.
 *
 * @throws when Redis refuses the subscription as well, or for now, or the connection fails
 */
export async function enableTracking(
  redis: Redis,
  { prefixes, channel }: TrackedKeys,
  explain: ErrorExplainer,
): Promise<TrackingStatus> {
  const refusal =
    (await replyError(startTracking(redis, prefixes))) ?? (await replyError(redis.subscribe(INVALIDATION_CHANNEL)));
  if (refusal === undefined) return { mode: 'tracking', problem: undefined };
  if (TEMPORARY.test(refusal.message)) throw refusal;
  await redis.subscribe(channel);
  return { mode: 'pubsub', problem: explain(refusal) };
}

/** A state of the server, in which it refuses most commands. */
const TEMPORARY = /^(?:LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|READONLY|NOAUTH)\b/;

/** The error that Redis replied with, if any. Other errors mean that the connection failed, and are thrown. */
async function replyError(reply: Promise<unknown>): Promise<Error | undefined> {
  try {
    await reply;
    return undefined;
  } catch (error) {
    if (isErrorReply(error)) return error;
    throw error;
  }
}

async function startTracking(redis: Redis, prefixes: readonly string[]): Promise<void> {
  const scope = prefixes.flatMap((prefix) => ['PREFIX', prefix]);
  const id = String(await redis.client('ID'));
  const reply = await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...scope);
  requireOk(reply, 'CLIENT TRACKING');
}
