import { type Redis, type SentinelConnectionOptions, SentinelConnector } from 'ioredis';

interface Connects {
  connectToSentinel(...args: unknown[]): Redis;
}

/**
 * Asks sentinels as ioredis does. On the connections on which it hears of failovers ioredis listens to no errors, and so
 * prints each of them with a stack: a sentinel that is away would spoil the log, while the others do all that is needed.
 */
export class QuietSentinelConnector extends SentinelConnector {
  /** @param options those of the connection, which ioredis hands on */
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
  }
}

const connects = SentinelConnector.prototype as unknown as Connects; // Private to its types only.

Object.defineProperty(QuietSentinelConnector.prototype, 'connectToSentinel', {
  value(this: Connects, ...args: unknown[]): Redis {
    return connects.connectToSentinel.apply(this, args).on('error', () => {});
  },
});
