import type { Cluster, Redis } from 'ioredis';
import { InvalidationConnection, type InvalidationConnectionOptions, type InvalidationMode } from './connection.ts';

const RECONCILE_MILLISECONDS = 250;
/** While a cluster gains or loses a master, it is uncertain which node accepts writes. */
const SETTLING_MILLISECONDS = 2_000;

/** The invalidation feed of a cluster: one connection to each master, since each tracks only its own keys. */
export class ClusterInvalidationFeed {
  readonly #cluster: Cluster;
  readonly #options: InvalidationConnectionOptions;
  /** By host and port. */
  readonly #connections = new Map<string, InvalidationConnection>();
  readonly #reconcileTimer: NodeJS.Timeout;
  #settledAt = Number.NEGATIVE_INFINITY;

  /** @param cluster the connection on which the keys are read, which knows the masters */
  constructor(cluster: Cluster, options: InvalidationConnectionOptions) {
    this.#cluster = cluster;
    this.#options = options;
    cluster.on('refresh', this.#reconcile);
    cluster.on('+node', this.#onTopologyChange);
    cluster.on('-node', this.#onTopologyChange);
    this.#reconcileTimer = setInterval(this.#reconcile, RECONCILE_MILLISECONDS).unref();
    this.#reconcile();
  }

  /** All changes up to this time, by `performance.now()`, have been delivered, by every master. */
  get syncedUntil(): number {
    if (this.#connections.size === 0 || performance.now() < this.#settledAt) return Number.NEGATIVE_INFINITY;
    return Math.min(...[...this.#connections.values()].map(({ syncedUntil }) => syncedUntil));
  }

  /** The weakest mode of any master. */
  get mode(): InvalidationMode {
    const modes = [...this.#connections.values()].map(({ mode }) => mode);
    if (modes.length === 0 || modes.includes('none')) return 'none';
    return modes.includes('pubsub') ? 'pubsub' : 'tracking';
  }

  covers(): boolean {
    return true;
  }

  close(): void {
    clearInterval(this.#reconcileTimer);
    this.#cluster.off('refresh', this.#reconcile);
    this.#cluster.off('+node', this.#onTopologyChange);
    this.#cluster.off('-node', this.#onTopologyChange);
    for (const connection of this.#connections.values()) connection.close();
  }

  /** Opens a connection to each new master, and closes those to nodes that are no longer masters. */
  readonly #reconcile = (): void => {
    const masters = new Map(this.#cluster.nodes('master').map((node) => [nodeName(node), node]));
    for (const [name, connection] of this.#connections) {
      if (masters.has(name)) continue;
      connection.close();
      this.#connections.delete(name);
      this.#settledAt = performance.now() + SETTLING_MILLISECONDS;
    }
    for (const [name, { options }] of masters) {
      const { host, port } = options;
      if (this.#connections.has(name) || host === undefined || port === undefined) continue;
      this.#connections.set(name, new InvalidationConnection(this.#connectionOptions(), { host, port }));
    }
  };

  #connectionOptions(): InvalidationConnectionOptions {
    return { ...this.#options, onMode: (_, problem) => this.#options.onMode(this.mode, problem) };
  }

  /** A node that comes or goes, perhaps for a single ASK redirect, may have accepted writes that no message announced. */
  readonly #onTopologyChange = (): void => {
    this.#settledAt = performance.now() + SETTLING_MILLISECONDS;
    this.#options.onFlush();
    this.#reconcile();
  };
}

function nodeName({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}
