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
  close(): Promise<void>;
}
