import type { Socket } from 'node:net';
import { type Redis, type RedisOptions, type SentinelConnectionOptions, SentinelConnector } from 'ioredis';

/**
 * Finds the master as ioredis does, with three bugs of its failover detector fixed:
 *
 * - The connections on which it listens for `+switch-master` have no error listener, so each error is printed with a
 *   stack trace. One unreachable sentinel would fill the log while the others do all that is needed.
 * - These connections stay open when the connection to the master is lost. A failover reported on them while the
 *   sentinels are being asked for the master aborts the new attempt, and ioredis never starts another.
 * - A failover between a sentinel's reply and our subscription goes unnoticed. If the replaced master stays up, we would
 *   use it until the sentinels demote it: ten seconds later, or never.
 */
export class FailoverSafeSentinelConnector extends SentinelConnector {
  /** @param options the connection's options, passed on by ioredis */
  constructor(options: unknown) {
    // ioredis creates a connector with the options of a connection, which include those of Sentinel.
    super(options as SentinelConnectionOptions);
  }

  override connect(...args: Parameters<SentinelConnector['connect']>): ReturnType<SentinelConnector['connect']> {
    // Private in the type declarations only.
    (this as unknown as PrivateMembers).failoverDetector?.cleanup();
    return super.connect(...args);
  }
}

/**
 * Members that the type declarations of ioredis hide. `test/redis/ioredis-internals.test.ts` checks that the installed
 * version still has them.
 */
interface PrivateMembers {
  connectToSentinel(endpoint: Address, options?: RedisOptions): Redis;
  /** Asks one sentinel for the master's address. */
  resolve(sentinel: Address): Promise<Address | null>;
  /** Subscribes to `+switch-master`, once connected to the master. */
  initFailoverDetector(): Promise<void>;
  /** Closes the connection to the master after a failover. */
  readonly failoverDetector?: { cleanup(): void } | null;
  readonly stream?: Socket | null;
  disconnect(): void;
  /** Added by us: the last reply. */
  lastResolved?: { readonly sentinel: Address; readonly master: Address | null };
}

interface Address {
  readonly host?: string;
  readonly port?: number;
}

// Private in the type declarations only.
const unpatched = SentinelConnector.prototype as unknown as PrivateMembers;

const overrides: Pick<PrivateMembers, 'connectToSentinel' | 'resolve' | 'initFailoverDetector'> &
  ThisType<PrivateMembers> = {
  connectToSentinel(endpoint, options) {
    // Sentinels need no name of the client library, which their ACL may not permit.
    const withoutInfo = { ...options, disableClientInfo: true };
    return unpatched.connectToSentinel.call(this, endpoint, withoutInfo).on('error', () => {});
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

// Subclass methods may not override private ones in TypeScript.
for (const [name, value] of Object.entries(overrides))
  Object.defineProperty(FailoverSafeSentinelConnector.prototype, name, { value });

/** Asks the same sentinel again. Later failovers are published to the subscription. */
async function hasMasterChanged(
  connector: PrivateMembers,
  { sentinel, master }: NonNullable<PrivateMembers['lastResolved']>,
): Promise<boolean> {
  const now = await unpatched.resolve.call(connector, sentinel).catch(() => null);
  return now !== null && (now.host !== master?.host || now.port !== master?.port);
}
