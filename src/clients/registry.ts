import type { Client } from './client.ts';

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
  readonly unready: string | undefined;
  /** Of a store that is not in this process; undefined otherwise. */
  readonly remote: RemoteState | undefined;
  close(): Promise<void>;
}

/** How it stands with a store that is somewhere else, and with what is remembered of it. */
export interface RemoteState {
  readonly isUp: boolean;
  /** How changes are heard of: from Redis itself, from our own commands only, or not at all. */
  readonly notification: 'tracking' | 'notices' | 'none';
  readonly entries: number;
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly unconfirmed: number;
}
