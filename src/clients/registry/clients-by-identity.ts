import type { ClientCertificate } from '../../pki/certificate/client-certificate.ts';
import type { Client } from '../client.ts';
import { registeredKeys } from '../registered-identities.ts';
import { certificateKeys } from './certificate-keys.ts';

/** Clients in memory, by the identities that they register. */
export class ClientsByIdentity {
  readonly #byKey: ReadonlyMap<string, readonly Client[]>;
  /** For certificates that are parsed once and presented often. */
  readonly #found = new WeakMap<ClientCertificate, readonly Client[]>();

  constructor(clients: Iterable<Client>) {
    const byKey = new Map<string, Client[]>();
    for (const client of clients) {
      for (const key of registeredKeys(client)) {
        const owners = byKey.get(key);
        if (owners) owners.push(client);
        else byKey.set(key, [client]);
      }
    }
    this.#byKey = byKey;
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
