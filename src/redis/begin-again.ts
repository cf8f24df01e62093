import type { Cluster, Redis } from 'ioredis';

const PAUSE_MILLISECONDS = 1_000;

/**
 * Connects again where ioredis has given a connection up (`end`), which it does where it cannot even begin an attempt,
 * whatever the strategy of retries says. Who has lost Redis for ever would serve known clients for a while, and then nobody.
 *
 * @param isOver whether that is as it should be
 */
export function beginAgain(redis: Redis | Cluster, isOver: () => boolean): void {
  redis.on('end', () => {
    setTimeout(() => {
      // Why it fails is told by its events.
      if (!isOver()) redis.connect().catch(() => {});
    }, PAUSE_MILLISECONDS).unref();
  });
}
