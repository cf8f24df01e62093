import type { Redis } from 'ioredis';
import { createRetry } from '../reconnect.ts';
import { InvalidationConnection, type InvalidationConnectionOptions, type InvalidationMode } from './connection.ts';
import { followServerIdentity, type ServerIdentity } from './server-identity.ts';

/** Why nothing is told of while two connections lead to two servers. */
export const ON_DIFFERENT_SERVERS =
  'the connection that tells of changes leads to another server than the one on which clients are read';

/**
 * What changes on one server. What another server tells is nothing of what is read here: of two connections that lead to
 * two of them, the older one is made anew.
 */
export class ServerFeed {
  readonly #options: InvalidationConnectionOptions;
  readonly #link: InvalidationConnection;
  readonly #reader: ServerIdentity;
  readonly #together = createRetry(() => {
    if (this.#areApart()) this.#reconnectOlder();
  });
  /** Until they are known to be together again, whatever becomes of one of them meanwhile. */
  #wereApart = false;
  #reconnectOlder = () => {};
  #problem: string | undefined;

  /** @param reader the connection on which the keys are read */
  constructor(reader: Redis, options: InvalidationConnectionOptions) {
    const reconnectReader = () => {
      if (reader.status === 'ready') reader.disconnect(true);
    };
    this.#options = options;
    this.#link = new InvalidationConnection({
      ...options,
      onMode: (_, problem) => {
        this.#problem = problem;
        this.#compare(reconnectReader);
      },
    });
    this.#reader = followServerIdentity(reader, () => this.#compare(() => this.#link.reconnect()));
  }

  /** Up to when every change has been told, by `performance.now()`. */
  get syncedUntil(): number {
    return this.#areApart() ? Number.NEGATIVE_INFINITY : this.#link.syncedUntil;
  }

  get mode(): InvalidationMode {
    return this.#wereApart ? 'none' : this.#link.mode;
  }

  close(): void {
    this.#together.stop();
    this.#reader.close();
    this.#link.close();
  }

  #areApart(): boolean {
    const [reader, link] = [this.#reader.runId, this.#link.runId];
    return Boolean(reader) && Boolean(link) && reader !== link;
  }

  /** Where one of the two does not know its server at the moment, what was known stays. */
  #compare(reconnectOlder: () => void): void {
    if (this.#reader.runId !== undefined && this.#link.runId !== undefined) {
      this.#wereApart = this.#areApart();
      this.#reconnectOlder = reconnectOlder;
      if (this.#wereApart) this.#together.failed();
      else this.#together.succeeded();
    }
    if (this.#wereApart) this.#options.onMode('none', ON_DIFFERENT_SERVERS);
    else this.#options.onMode(this.#link.mode, this.#problem);
  }
}
