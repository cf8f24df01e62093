import type { Client } from '../client.ts';

/** Where clients are found. Every store behaves alike: one conformance suite holds them all. */
export interface Registry {
  /** For the line at start and for logs: what kind of store this is and where. Never a password. */
  readonly description: string;
  /**
   * Finds a client. A disabled one is found, too: whether it may do anything is not the store's to say.
   *
   * @param clientId has passed `isClientId`
   * @throws {OAuthError} temporarily_unavailable when the store cannot be asked; invalid_client when what it holds
   *   under this name is not a valid record
   */
  find(clientId: string): Promise<Client | undefined>;
  /** Why nobody could be served at the moment; undefined where somebody could. */
  readonly notReadyReason: string | undefined;
  /** Of a store that is not in this process; undefined otherwise. */
  readonly remote: RemoteState | undefined;
  close(): Promise<void>;
}

/** How it stands with a store that is somewhere else, and with what is remembered of it. */
export interface RemoteState {
  readonly isUp: boolean;
  /** How changes are heard of: from Redis itself, from our own commands only, or not at all. */
  readonly invalidationMode: 'tracking' | 'pubsub' | 'none';
  readonly entries: number;
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly stale: number;
}

/** The names of what the registry keeps in Redis; docs/configuration.md lists each with its value and lifetime. */
export interface RegistryKeys {
  /** A record, JSON, at this and the `client_id`. */
  readonly clientPrefix: string;
  /** A set of `client_id`s, at this and the text of an identity. */
  readonly identityPrefix: string;
  /** Is there once records have been written by us; its absence then means that Redis has lost them. */
  readonly marker: string;
  /** Whose turn it is to apply. */
  readonly applyLock: string;
  /** The channel on which a writer says which key it changed. */
  readonly changesChannel: string;
}

/** @param prefix what all our keys begin with, e.g. `countersign:` */
export function registryKeys(prefix: string): RegistryKeys {
  return {
    clientPrefix: `${prefix}client:`,
    identityPrefix: `${prefix}identity:`,
    marker: `${prefix}registry`,
    applyLock: `${prefix}apply`,
    changesChannel: `${prefix}changes`,
  };
}
