import type { Cluster, Redis } from 'ioredis';

const RECONNECT_DELAY_MILLISECONDS = 1_000;

/**
 * Reconnects after ioredis has given a connection up (`end`). It does so when it cannot even start an attempt, whatever the
 * retry strategy. Without Redis for good, known clients would be served until their records expire, and then none.
 *
 * @param isClosed whether the end is intended
 */
export function reconnectOnEnd(redis: Redis | Cluster, isClosed: () => boolean): void {
  redis.on('end', () => {
    setTimeout(() => {
      // A failure is reported by the `error` event.
      if (!isClosed()) redis.connect().catch(() => {});
    }, RECONNECT_DELAY_MILLISECONDS).unref();
  });
}

/** Repeats an attempt after a delay that doubles with each failure, up to 2 s. */
export interface Retry {
  /** Schedules the next attempt, unless one is scheduled. */
  failed(): void;
  /** Cancels the scheduled attempt, and resets the delay. */
  succeeded(): void;
  /** Cancels the scheduled attempt, and schedules no other. */
  stop(): void;
}

const MAX_DELAY_MILLISECONDS = 2_000;

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
      const delay = Math.min(50 * 2 ** failures, MAX_DELAY_MILLISECONDS);
      timer = setTimeout(() => {
        cancel();
        attempt();
      }, delay).unref();
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
