import type { Heartbeat } from './heartbeat.ts';

/** A connection that can be probed at any time. */
export type Probed = Pick<Heartbeat, 'hasten' | 'endIfUnanswered'>;

/**
 * Shared by connections that are lost together, such as behind a firewall that drops their packets: whether a reply is
 * overdue on one that is probed all the time.
 */
export class Suspicion {
  readonly #sources = new Set<object>();
  readonly #connections = new Set<Probed>();

  get isRaised(): boolean {
    return this.#sources.size > 0;
  }

  /** Adds a connection, which is probed while the suspicion is raised. */
  watch(connection: Probed): void {
    this.#connections.add(connection);
  }

  unwatch(connection: Probed): void {
    this.#connections.delete(connection);
  }

  /** The connection on which a reply was overdue is dropped: others that do not reply either are not waited for. */
  confirm(): void {
    for (const connection of this.#connections) connection.endIfUnanswered();
  }

  /** @param source the connection */
  set(source: object, isOverdue: boolean): void {
    const wasRaised = this.isRaised;
    if (isOverdue) this.#sources.add(source);
    else this.#sources.delete(source);
    if (this.isRaised && !wasRaised) for (const connection of this.#connections) connection.hasten();
  }
}
