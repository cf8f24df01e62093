import type { Socket } from 'node:net';
import { type Redis, type RedisOptions, type SentinelConnectionOptions, SentinelConnector } from 'ioredis';
import { isErrorReply } from './reply-shapes.ts';
import { formatEndpoint } from './url.ts';

/** A sentinel refuses to announce failovers. The message names the sentinel. */
export class SentinelRefusal extends Error {
  override readonly name = 'SentinelRefusal';
  /** The reply of the sentinel. */
  override readonly cause: Error;

  constructor(message: string, cause: Error) {
    super(message);
    this.cause = cause;
  }
}

/**
 * Finds the master as ioredis does, with four bugs of its failover detector fixed:
 *
 * - The connections on which it listens for `+switch-master` have no error listener, so each error is printed with a
 *   stack trace. One unreachable sentinel would fill the log while the others do all that is needed.
 * - These connections stay open when the connection to the master is lost. A failover reported on them while the
 *   sentinels are being asked for the master aborts the new attempt, and ioredis never starts another.
 * - A failover between a sentinel's reply and our subscription goes unnoticed. If the replaced master stays up, we would
 *   use it until the sentinels demote it: ten seconds later, or never.
 * - A sentinel that refuses SUBSCRIBE goes unnoticed, with the same effect. It is reported as the event `sentinel refusal`
 *   of the connection, with a {@link SentinelRefusal}.
 */
export class FailoverSafeSentinelConnector extends SentinelConnector {
  /** @param options the connection's options, passed on by ioredis */
  constructor(options: unknown) {
    // ioredis creates a connector with the options of a connection, which include those of Sentinel.
    super(options as SentinelConnectionOptions);
  }

  override connect(...args: Parameters<SentinelConnector['connect']>): ReturnType<SentinelConnector['connect']> {
    // Private in the type declarations only.
    const members = this as unknown as PrivateMembers;
    members.failoverDetector?.cleanup();
    [members.emitEvent] = args;
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
  readonly failoverDetector?: FailoverDetector | null;
  readonly stream?: Socket | null;
  disconnect(): void;
  /** Added by us: the last reply. */
  lastResolved?: { readonly sentinel: Address; readonly master: Address | null };
  /** Added by us: emits an event of the connection to the master. */
  emitEvent?: (type: string, error: Error) => void;
}

interface FailoverDetector {
  cleanup(): void;
  readonly isDisconnected: boolean;
  readonly sentinels: readonly Subscription[];
}

/** The connection to a sentinel that announces failovers. */
interface Subscription {
  readonly address: Address;
  readonly client: Pick<Redis, 'subscribe'>;
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
    if (this.failoverDetector) watchSubscriptions(this.failoverDetector, (refusal) => this.emitEvent?.(EVENT, refusal));
    if (lastResolved && (await hasMasterChanged(this, lastResolved)) && this.stream === stream) this.disconnect();
  },
};

// Subclass methods may not override private ones in TypeScript.
for (const [name, value] of Object.entries(overrides))
  Object.defineProperty(FailoverSafeSentinelConnector.prototype, name, { value });

const EVENT = 'sentinel refusal';
/** The ACL may be fixed at any time. */
const SUBSCRIBE_AGAIN_MILLISECONDS = 60_000;

/** ioredis ignores the outcome of SUBSCRIBE. Sent again, it changes nothing for a sentinel that has accepted it. */
function watchSubscriptions(detector: FailoverDetector, onRefusal: (refusal: SentinelRefusal) => void): void {
  const subscribe = async ({ address, client }: Subscription) => {
    if (detector.isDisconnected) return;
    try {
      await client.subscribe('+switch-master');
    } catch (error) {
      // A lost connection subscribes again when it is re-established.
      if (!isErrorReply(error)) return;
      const { host = '127.0.0.1', port = 26379 } = address;
      onRefusal(new SentinelRefusal(formatEndpoint({ host, port }), error));
      setTimeout(() => subscribe({ address, client }), SUBSCRIBE_AGAIN_MILLISECONDS).unref();
    }
  };
  for (const subscription of detector.sentinels) subscribe(subscription);
}

/** Asks the same sentinel again. Later failovers are published to the subscription. */
async function hasMasterChanged(
  connector: PrivateMembers,
  { sentinel, master }: NonNullable<PrivateMembers['lastResolved']>,
): Promise<boolean> {
  const now = await unpatched.resolve.call(connector, sentinel).catch(() => null);
  return now !== null && (now.host !== master?.host || now.port !== master?.port);
}
