import type { Cluster, Redis } from 'ioredis';
import { InvalidationConnection, type InvalidationConnectionOptions, type InvalidationMode } from './connection.ts';

const RECONCILE_MILLISECONDS = 250;
/** While a cluster loses or gets a master, it is not sure who takes changes. */
const UNSETTLED_MILLISECONDS = 2_000;

/** What changes on the masters of a Cluster: each only knows of its own keys. */
export class ClusterInvalidationFeed {
  readonly #cluster: Cluster;
  readonly #options: InvalidationConnectionOptions;
  readonly #connections = new Map<string, InvalidationConnection>();
  readonly #reconcileTimer: NodeJS.Timeout;
  #settledAt = Number.NEGATIVE_INFINITY;

  /** @param cluster the connection on which the keys are read, which knows its masters */
  constructor(cluster: Cluster, options: InvalidationConnectionOptions) {
    this.#cluster = cluster;
    this.#options = options;
    cluster.on('refresh', this.#reconcile);
    cluster.on('+node', this.#onTopologyChange);
    cluster.on('-node', this.#onTopologyChange);
    this.#reconcileTimer = setInterval(this.#reconcile, RECONCILE_MILLISECONDS).unref();
    this.#reconcile();
  }

  /** Up to when every change has been told, by `performance.now()`. */
  get syncedUntil(): number {
    if (this.#connections.size === 0 || performance.now() < this.#settledAt) return Number.NEGATIVE_INFINITY;
    return Math.min(...[...this.#connections.values()].map((link) => link.syncedUntil));
  }

  /** That of the master of whose changes least is heard. */
  get mode(): InvalidationMode {
    const notifications = [...this.#connections.values()].map(({ mode }) => mode);
    if (notifications.length === 0 || notifications.includes('none')) return 'none';
    return notifications.includes('pubsub') ? 'pubsub' : 'tracking';
  }

  close(): void {
    clearInterval(this.#reconcileTimer);
    this.#cluster.off('refresh', this.#reconcile);
    this.#cluster.off('+node', this.#onTopologyChange);
    this.#cluster.off('-node', this.#onTopologyChange);
    for (const link of this.#connections.values()) link.close();
  }

  /** Has a link to each master, and to none that is one no more. */
  readonly #reconcile = (): void => {
    const masters = new Map(this.#cluster.nodes('master').map((node) => [nodeName(node), node]));
    for (const [name, link] of this.#connections) {
      if (masters.has(name)) continue;
      link.close();
      this.#connections.delete(name);
      this.#settledAt = performance.now() + UNSETTLED_MILLISECONDS;
    }
    for (const [name, { options }] of masters) {
      const { host, port } = options;
      if (this.#connections.has(name) || host === undefined || port === undefined) continue;
      this.#connections.set(name, new InvalidationConnection(this.#connectionOptions(), { host, port }));
    }
  };

  #connectionOptions(): InvalidationConnectionOptions {
    const onMode = (_: InvalidationMode, problem: string | undefined) => this.#options.onMode(this.mode, problem);
    return { ...this.#options, onMode: onMode };
  }

  /** Whoever comes or goes, perhaps only for one question (ASK), may have taken changes that nobody told of. */
  readonly #onTopologyChange = (): void => {
    this.#settledAt = performance.now() + UNSETTLED_MILLISECONDS;
    this.#options.onFlush();
    this.#reconcile();
  };
}

function nodeName({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}
