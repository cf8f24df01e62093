import type { Cluster, Redis } from 'ioredis';

const MAX_DELAY_MILLISECONDS = 2_000;

/** Tries something again after a pause that grows with each failure. */
export interface Retry {
  /** However often that is said meanwhile, it is tried once. */
  failed(): void;
  succeeded(): void;
  /** Tries nothing any more. */
  stop(): void;
}

export function createRetry(attempt: () => void): Retry {
  let failures = 0;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  const cancel = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    failed: () => {
      if (timer || isStopped) return;
      failures++;
      const pause = Math.min(50 * 2 ** failures, MAX_DELAY_MILLISECONDS);
      timer = setTimeout(() => {
        cancel();
        attempt();
      }, pause).unref();
    },
    succeeded: () => {
      failures = 0;
      cancel();
    },
    stop: () => {
      isStopped = true;
      cancel();
    },
  };
}

const RECONNECT_DELAY_MILLISECONDS = 1_000;

/**
 * Connects again where ioredis has given a connection up (`end`), which it does where it cannot even begin an attempt,
 * whatever the strategy of retries says. Who has lost Redis for ever would serve known clients for a while, and then nobody.
 *
 * @param isClosed whether that is as it should be
 */
export function reconnectOnEnd(redis: Redis | Cluster, isClosed: () => boolean): void {
  redis.on('end', () => {
    setTimeout(() => {
      // Why it fails is told by its events.
      if (!isClosed()) redis.connect().catch(() => {});
    }, RECONNECT_DELAY_MILLISECONDS).unref();
  });
}
