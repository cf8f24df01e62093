import type { Cluster, Redis } from 'ioredis';

const LONGEST_PAUSE_MILLISECONDS = 2_000;

/** Tries something again after a pause that grows with each failure. */
export interface Retry {
  /** However often that is said meanwhile, it is tried once. */
  failed(): void;
  succeeded(): void;
  /** Tries nothing any more. */
  stop(): void;
}

export function createRetry(again: () => void): Retry {
  let failures = 0;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  const rest = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    failed: () => {
      if (timer || isStopped) return;
      failures++;
      const pause = Math.min(50 * 2 ** failures, LONGEST_PAUSE_MILLISECONDS);
      timer = setTimeout(() => {
        rest();
        again();
      }, pause).unref();
    },
    succeeded: () => {
      failures = 0;
      rest();
    },
    stop: () => {
      isStopped = true;
      rest();
    },
  };
}

const PAUSE_MILLISECONDS = 1_000;

/**
 * Connects again where ioredis has given a connection up (`end`), which it does where it cannot even begin an attempt,
 * whatever the strategy of retries says. Who has lost Redis for ever would serve known clients for a while, and then nobody.
 *
 * @param isOver whether that is as it should be
 */
export function reconnectOnEnd(redis: Redis | Cluster, isOver: () => boolean): void {
  redis.on('end', () => {
    setTimeout(() => {
      // Why it fails is told by its events.
      if (!isOver()) redis.connect().catch(() => {});
    }, PAUSE_MILLISECONDS).unref();
  });
}
