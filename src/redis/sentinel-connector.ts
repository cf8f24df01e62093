import { type Redis, type SentinelConnectionOptions, SentinelConnector } from 'ioredis';

type Connect = SentinelConnector['connect'];

/** Private to the types of ioredis only. */
interface Hidden {
  connectToSentinel(...args: unknown[]): Redis;
  /** Hears of failovers, and lets go of the connection then. */
  readonly failoverDetector?: { cleanup(): void } | null;
}

/**
 * Asks sentinels as ioredis does. On the connections on which it hears of failovers ioredis listens to no errors, and so
 * prints each of them with a stack: a sentinel that is away would spoil the log, while the others do all that is needed.
 *
 * Nor does ioredis end these connections when that to the master is lost: where a failover is told of on them while
 * the sentinels are asked for the master, it takes that for the end of the new attempt, and makes no other ever again.
 */
export class QuietSentinelConnector extends SentinelConnector {
  /** @param options those of the connection, which ioredis hands on */
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
  }

  override connect(...args: Parameters<Connect>): ReturnType<Connect> {
    (this as unknown as Hidden).failoverDetector?.cleanup();
    return super.connect(...args);
  }
}

const hidden = SentinelConnector.prototype as unknown as Hidden;

Object.defineProperty(QuietSentinelConnector.prototype, 'connectToSentinel', {
  value(this: Hidden, ...args: unknown[]): Redis {
    return hidden.connectToSentinel.apply(this, args).on('error', () => {});
  },
});
