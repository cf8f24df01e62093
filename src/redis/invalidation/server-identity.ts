import type { Cluster, Redis } from 'ioredis';
import { createRetry } from '../reconnect.ts';
import { isErrorReply } from '../reply-shapes.ts';

/** The server that a connection currently leads to. */
export interface ServerIdentity {
  /** Undefined while unknown, empty when the server does not reveal it. */
  readonly runId: string | undefined;
  close(): void;
}

/** @param onIdentified called whenever the server has been identified */
export function watchServerIdentity(redis: Redis, onIdentified: () => void): ServerIdentity {
  let runId: string | undefined;
  let connections = 0;
  const identify = async () => {
    const connection = connections;
    try {
      const reply = await readRunId(redis);
      if (connection !== connections) return;
      runId = reply;
      retry.succeeded();
      onIdentified();
    } catch {
      // A lost connection identifies its server again once it is ready; this one was only slow.
      if (connection === connections && redis.status === 'ready') retry.failed();
    }
  };
  const retry = createRetry(identify);
  const forget = () => {
    connections += 1;
    runId = undefined;
  };
  redis.on('ready', identify);
  redis.on('close', forget);
  if (redis.status === 'ready') identify();
  return {
    get runId() {
      return runId;
    },
    close: () => {
      retry.stop();
      forget();
      redis.off('ready', identify);
      redis.off('close', forget);
    },
  };
}

/** The server that a connection leads to; undefined for a Cluster, which leads to several. */
export function serverOf(redis: Redis | Cluster): ServerIdentity | undefined {
  // Safe: a connection that is not to a Cluster.
  return redis.isCluster ? undefined : watchServerIdentity(redis as Redis, () => {});
}

/**
 * Reads which server a connection leads to (`run_id` of INFO): behind a load balancer, two connections may lead to
 * different servers.
 *
 * @returns empty when the server does not reveal it
 * @throws when there is no reply
 */
export async function readRunId(redis: Redis): Promise<string> {
  try {
    return /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1] ?? '';
  } catch (error) {
    if (isErrorReply(error)) return '';
    throw error;
  }
}
