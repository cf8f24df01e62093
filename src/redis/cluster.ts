import { Cluster } from 'ioredis';

/**
 * A cluster that reports why an attempt to connect has failed, as event `node error`, and does not end the process when a
 * node sends a malformed redirection.
 */
export class ReportingCluster extends Cluster {
  override handleError(...args: Parameters<Cluster['handleError']>): void {
    const [{ message }, , { defaults }] = args;
    // ioredis throws an exception if the address is missing, and connects to 127.0.0.1 if only the host is.
    if (REDIRECTION.test(message) && !REDIRECTION_TO_ADDRESS.test(message)) defaults();
    else super.handleError(...args);
  }
}

const REDIRECTION = /^(?:MOVED|ASK)\b/;
const REDIRECTION_TO_ADDRESS = /^(?:MOVED|ASK) \d+ \S+:\d+$/;

/**
 * Members that the type declarations of ioredis hide. `test/redis/ioredis-internals.test.ts` checks that the installed
 * version still has them.
 */
interface PrivateMembers {
  /** Asks a node whether the cluster is ready (CLUSTER INFO). `state` is present if it is not. */
  readyCheck(callback: (error?: Error | null, state?: string) => void): void;
}

// Private in the type declarations only.
const unpatched = Cluster.prototype as unknown as PrivateMembers;

const overrides: PrivateMembers & ThisType<Cluster> = {
  readyCheck(callback) {
    unpatched.readyCheck.call(this, (error, state) => {
      const problem = error ?? (state === undefined ? undefined : new Error(`CLUSTERDOWN cluster_state is ${state}`));
      if (problem) this.emit('node error', problem);
      callback(error, state);
    });
  },
};

// Subclass methods may not override private ones in TypeScript.
for (const [name, value] of Object.entries(overrides))
  Object.defineProperty(ReportingCluster.prototype, name, { value });

const SLOTS_REFRESH_MILLISECONDS = 1_000;

/**
 * Refreshes the slot map every second. The `slotsRefreshInterval` option of ioredis does the same, but never stops when
 * the connection is closed during a refresh, which keeps the process alive.
 */
export function refreshSlotsPeriodically(cluster: Cluster): void {
  let timer: NodeJS.Timeout | undefined;
  cluster.on('close', () => clearInterval(timer));
  cluster.on('ready', () => {
    clearInterval(timer);
    timer = setInterval(() => cluster.refreshSlotsCache(), SLOTS_REFRESH_MILLISECONDS).unref();
  });
}
