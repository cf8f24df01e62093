import type { Redis } from 'ioredis';
import { createRetry } from '../reconnect.ts';

/**
 * Which server a connection leads to, as that says itself (`run_id` of INFO): behind a balancer two connections may
 * lead to two.
 *
 * @returns empty where it does not say
 * @throws where it does not answer
 */
export async function readRunId(redis: Redis): Promise<string> {
  try {
    return /^run_id:(\w+)/m.exec(await redis.info('server'))?.[1] ?? '';
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return '';
    throw error;
  }
}

/** The server to which a connection leads at the moment. */
export interface ServerIdentity {
  /** Undefined while it is not known, empty where the server does not say. */
  readonly runId: string | undefined;
  close(): void;
}

/** @param onIdentified told each time that it is found out */
export function watchServerIdentity(redis: Redis, onIdentified: () => void): ServerIdentity {
  let runId: string | undefined;
  let connections = 0;
  const identify = async () => {
    const connection = connections;
    try {
      const answer = await readRunId(redis);
      if (connection !== connections) return;
      runId = answer;
      again.succeeded();
      onIdentified();
    } catch {
      // One that is over begins anew by itself; this one was only slow.
      if (connection === connections && redis.status === 'ready') again.failed();
    }
  };
  const again = createRetry(identify);
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
      again.stop();
      forget();
      redis.off('ready', identify);
      redis.off('close', forget);
    },
  };
}
