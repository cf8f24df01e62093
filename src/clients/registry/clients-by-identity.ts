import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
import type { Client } from '../client.ts';
import { registeredKeys } from '../registered-identities.ts';
import { certificateKeys } from './certificate-keys.ts';

/** Indexing a client takes about 5 µs. */
const PART_LENGTH = 1_000;

/** Clients in memory, by the identities that they register. */
export class ClientsByIdentity {
  readonly #byKey: ReadonlyMap<string, readonly Client[]>;
  /** For certificates that are parsed once and presented often. */
  readonly #found = new WeakMap<ClientCertificate, readonly Client[]>();

  private constructor(byKey: ReadonlyMap<string, readonly Client[]>) {
    this.#byKey = byKey;
  }

  /** Requests are served meanwhile. */
  static async index(clients: Iterable<Client>): Promise<ClientsByIdentity> {
    const byKey = new Map<string, Client[]>();
    let count = 0;
    for (const client of clients) {
      if (++count % PART_LENGTH === 0) await yieldToEventLoop();
      for (const key of registeredKeys(client)) {
        const owners = byKey.get(key);
        if (owners) owners.push(client);
        else byKey.set(key, [client]);
      }
    }
    return new ClientsByIdentity(byKey);
  }

  /** @throws {OAuthError} invalid_client if the certificate has too many identities */
  find(certificate: ClientCertificate): readonly Client[] {
    const known = this.#found.get(certificate);
    if (known) return known;
    const found = [...new Set(certificateKeys(certificate).flatMap((key) => this.#byKey.get(key) ?? []))];
    this.#found.set(certificate, found);
    return found;
  }
}
