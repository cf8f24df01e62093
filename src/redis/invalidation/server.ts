import type { Redis } from 'ioredis';
import { createRetry } from '../reconnect.ts';
import { InvalidationConnection, type InvalidationConnectionOptions, type InvalidationMode } from './connection.ts';
import { type ServerIdentity, watchServerIdentity } from './server-identity.ts';

/** Why nothing is told of while two connections lead to two servers. */
export const ON_DIFFERENT_SERVERS =
  'the connection that tells of changes leads to another server than the one on which clients are read';

/**
 * What changes on one server. What another server tells is nothing of what is read here: of two connections that lead to
 * two of them, the older one is made anew.
 */
export class ServerInvalidationFeed {
  readonly #options: InvalidationConnectionOptions;
  readonly #connection: InvalidationConnection;
  readonly #readerIdentity: ServerIdentity;
  readonly #reunionRetry = createRetry(() => {
    if (this.#areOnDifferentServers()) this.#reconnectOlder();
  });
  /** Until they are known to be together again, whatever becomes of one of them meanwhile. */
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
        this.#compare(reconnectReader);
      },
    });
    this.#readerIdentity = watchServerIdentity(reader, () => this.#compare(() => this.#connection.reconnect()));
  }

  /** Up to when every change has been told, by `performance.now()`. */
  get syncedUntil(): number {
    return this.#areOnDifferentServers() ? Number.NEGATIVE_INFINITY : this.#connection.syncedUntil;
  }

  get mode(): InvalidationMode {
    return this.#wereOnDifferentServers ? 'none' : this.#connection.mode;
  }

  close(): void {
    this.#reunionRetry.stop();
    this.#readerIdentity.close();
    this.#connection.close();
  }

  #areOnDifferentServers(): boolean {
    const [reader, link] = [this.#readerIdentity.runId, this.#connection.runId];
    return Boolean(reader) && Boolean(link) && reader !== link;
  }

  /** Where one of the two does not know its server at the moment, what was known stays. */
  #compare(reconnectOlder: () => void): void {
    if (this.#readerIdentity.runId !== undefined && this.#connection.runId !== undefined) {
      this.#wereOnDifferentServers = this.#areOnDifferentServers();
      this.#reconnectOlder = reconnectOlder;
      if (this.#wereOnDifferentServers) this.#reunionRetry.failed();
      else this.#reunionRetry.succeeded();
    }
    if (this.#wereOnDifferentServers) this.#options.onMode('none', ON_DIFFERENT_SERVERS);
    else this.#options.onMode(this.#connection.mode, this.#problem);
  }
}
