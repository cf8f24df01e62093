import type { Cluster, Redis } from 'ioredis';
import { InvalidationConnection, type InvalidationConnectionOptions, type InvalidationMode } from './connection.ts';

const LOOK_MILLISECONDS = 250;
/** While a cluster loses or gets a master, it is not sure who takes changes. */
const UNSETTLED_MILLISECONDS = 2_000;

/** What changes on the masters of a Cluster: each only knows of its own keys. */
export class ClusterFeed {
  readonly #cluster: Cluster;
  readonly #options: InvalidationConnectionOptions;
  readonly #links = new Map<string, InvalidationConnection>();
  readonly #looks: NodeJS.Timeout;
  #settledAt = Number.NEGATIVE_INFINITY;

  /** @param cluster the connection on which the keys are read, which knows its masters */
  constructor(cluster: Cluster, options: InvalidationConnectionOptions) {
    this.#cluster = cluster;
    this.#options = options;
    cluster.on('refresh', this.#look);
    cluster.on('+node', this.#unsettle);
    cluster.on('-node', this.#unsettle);
    this.#looks = setInterval(this.#look, LOOK_MILLISECONDS).unref();
    this.#look();
  }

  /** Up to when every change has been told, by `performance.now()`. */
  get syncedUntil(): number {
    if (this.#links.size === 0 || performance.now() < this.#settledAt) return Number.NEGATIVE_INFINITY;
    return Math.min(...[...this.#links.values()].map((link) => link.syncedUntil));
  }

  /** That of the master of whose changes least is heard. */
  get mode(): InvalidationMode {
    const notifications = [...this.#links.values()].map(({ mode }) => mode);
    if (notifications.length === 0 || notifications.includes('none')) return 'none';
    return notifications.includes('pubsub') ? 'pubsub' : 'tracking';
  }

  close(): void {
    clearInterval(this.#looks);
    this.#cluster.off('refresh', this.#look);
    this.#cluster.off('+node', this.#unsettle);
    this.#cluster.off('-node', this.#unsettle);
    for (const link of this.#links.values()) link.close();
  }

  /** Has a link to each master, and to none that is one no more. */
  readonly #look = (): void => {
    const masters = new Map(this.#cluster.nodes('master').map((node) => [nameOf(node), node]));
    for (const [name, link] of this.#links) {
      if (masters.has(name)) continue;
      link.close();
      this.#links.delete(name);
      this.#settledAt = performance.now() + UNSETTLED_MILLISECONDS;
    }
    for (const [name, { options }] of masters) {
      const { host, port } = options;
      if (this.#links.has(name) || host === undefined || port === undefined) continue;
      this.#links.set(name, new InvalidationConnection(this.#linkOptions(), { host, port }));
    }
  };

  #linkOptions(): InvalidationConnectionOptions {
    const onMode = (_: InvalidationMode, problem: string | undefined) => this.#options.onMode(this.mode, problem);
    return { ...this.#options, onMode: onMode };
  }

  /** Whoever comes or goes, perhaps only for one question (ASK), may have taken changes that nobody told of. */
  readonly #unsettle = (): void => {
    this.#settledAt = performance.now() + UNSETTLED_MILLISECONDS;
    this.#options.onFlush();
    this.#look();
  };
}

function nameOf({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}
