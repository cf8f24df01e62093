import type { Redis } from 'ioredis';
import { createRetry } from '../reconnect.ts';
import { InvalidationConnection, type InvalidationConnectionOptions, type InvalidationMode } from './connection.ts';
import { type ServerIdentity, watchServerIdentity } from './server-identity.ts';

/** Why there is no invalidation feed while the two connections lead to different servers. */
const ON_DIFFERENT_SERVERS =
  'the invalidation connection leads to another server than the connection on which clients are read';

/**
 * The invalidation feed of one server. Invalidation messages of another server do not cover what is read here: when the two
 * connections lead to different servers, the older one reconnects.
 */
export class ServerInvalidationFeed {
  readonly #options: InvalidationConnectionOptions;
  readonly #connection: InvalidationConnection;
  readonly #reader: ServerIdentity;
  readonly #reunionRetry = createRetry(() => {
    if (this.#areOnDifferentServers()) this.#reconnectOlder();
  });
  /** Stays set until both are known to lead to one server, even if one of them is lost meanwhile. */
  #wereOnDifferentServers = false;
  #reconnectOlder = () => {};
  #problem: string | undefined;

  /** @param reader the connection on which the keys are read */
  constructor(reader: Redis, options: InvalidationConnectionOptions) {
    const reconnectReader = () => {
      if (reader.status === 'ready') reader.disconnect(true);
    };
    this.#options = options;
    this.#connection = new InvalidationConnection({
      ...options,
      onMode: (_, problem) => {
        this.#problem = problem;
        this.#compareServers(reconnectReader);
      },
    });
    this.#reader = watchServerIdentity(reader, () => this.#compareServers(() => this.#connection.reconnect()));
  }

  /** All changes up to this time, by `performance.now()`, have been delivered. */
  get syncedUntil(): number {
    return this.#areOnDifferentServers() ? Number.NEGATIVE_INFINITY : this.#connection.syncedUntil;
  }

  get mode(): InvalidationMode {
    return this.#wereOnDifferentServers ? 'none' : this.#connection.mode;
  }

  covers(reader: ServerIdentity | undefined): boolean {
    return reader?.runId !== undefined && reader.runId === this.#connection.runId;
  }

  close(): void {
    this.#reunionRetry.stop();
    this.#reader.close();
    this.#connection.close();
  }

  #areOnDifferentServers(): boolean {
    const [reader, feed] = [this.#reader.runId, this.#connection.runId];
    return Boolean(reader) && Boolean(feed) && reader !== feed;
  }

  /** Keeps the last result while one of the servers is unknown. */
  #compareServers(reconnectOlder: () => void): void {
    if (this.#reader.runId !== undefined && this.#connection.runId !== undefined) {
      this.#wereOnDifferentServers = this.#areOnDifferentServers();
      this.#reconnectOlder = reconnectOlder;
      if (this.#wereOnDifferentServers) this.#reunionRetry.failed();
      else this.#reunionRetry.succeeded();
    }
    if (this.#wereOnDifferentServers) this.#options.onMode('none', ON_DIFFERENT_SERVERS);
    else this.#options.onMode(this.#connection.mode, this.#problem);
  }
}
