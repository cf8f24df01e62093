import type { Socket } from 'node:net';
import { type Redis, type SentinelConnectionOptions, SentinelConnector } from 'ioredis';

type Connect = SentinelConnector['connect'];

interface Address {
  readonly host?: string;
  readonly port?: number;
}

/** Private to the types of ioredis only. */
interface PrivateMembers {
  connectToSentinel(...args: unknown[]): Redis;
  /** Whom a sentinel names. */
  resolve(sentinel: Address): Promise<Address | null>;
  /** Begins to hear of failovers, once there is a connection. */
  initFailoverDetector(): Promise<void>;
  /** Hears of them, and lets go of the connection then. */
  readonly failoverDetector?: { cleanup(): void } | null;
  readonly stream?: Socket | null;
  disconnect(): void;
  /** Ours: the last answer. */
  lastResolved?: { readonly sentinel: Address; readonly master: Address | null };
}

/**
 * Asks sentinels as ioredis does, and mends three things of it:
 *
 * - On the connections on which it hears of failovers it listens to no errors, and so prints each of them with a stack: a
 *   sentinel that is away would spoil the log, while the others do all that is needed.
 * - It does not end these connections when that to the master is lost: where a failover is told of on them while the
 *   sentinels are asked for the master, it takes that for the end of the new attempt, and makes no other ever again.
 * - It hears of no failover between the answer of a sentinel and its own subscription: a master that was replaced then,
 *   and goes on, would be followed until the sentinels make it a replica, ten seconds later or never.
 */
export class QuietSentinelConnector extends SentinelConnector {
  /** @param options those of the connection, which ioredis hands on */
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
  }

  override connect(...args: Parameters<Connect>): ReturnType<Connect> {
    (this as unknown as PrivateMembers).failoverDetector?.cleanup();
    return super.connect(...args);
  }
}

const unpatched = SentinelConnector.prototype as unknown as PrivateMembers;

const overrides: Pick<PrivateMembers, 'connectToSentinel' | 'resolve' | 'initFailoverDetector'> &
  ThisType<PrivateMembers> = {
  connectToSentinel(...args) {
    return unpatched.connectToSentinel.apply(this, args).on('error', () => {});
  },
  async resolve(sentinel) {
    const master = await unpatched.resolve.call(this, sentinel);
    this.lastResolved = { sentinel, master };
    return master;
  },
  async initFailoverDetector() {
    const { stream, lastResolved } = this;
    await unpatched.initFailoverDetector.call(this);
    if (lastResolved && (await hasMasterChanged(this, lastResolved)) && this.stream === stream) this.disconnect();
  },
};

for (const [name, value] of Object.entries(overrides))
  Object.defineProperty(QuietSentinelConnector.prototype, name, { value });

/** Asks the same sentinel once more: of all that comes later, it tells. */
async function hasMasterChanged(
  connector: PrivateMembers,
  { sentinel, master }: NonNullable<PrivateMembers['lastResolved']>,
): Promise<boolean> {
  const now = await unpatched.resolve.call(connector, sentinel).catch(() => null);
  return now !== null && (now.host !== master?.host || now.port !== master?.port);
}
