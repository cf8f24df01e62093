import type { Client } from '../client.ts';
import { registeredKeys } from '../registered-identities.ts';
import type { ChangeCounters } from './change-counters.ts';
import type { StoredRecord } from './load-record.ts';
import type { RecordCache } from './record-cache.ts';

/** Approximate heap sizes: of a candidate, and of one of its identity keys. */
const BYTES_PER_CANDIDATE = 300;
const BYTES_PER_KEY = 100;

/** A client that the identity index names for a certificate. That is only a hint: its record decides. */
export class Candidate {
  readonly clientId: string;
  /** The identities of the certificate for which the index names the client. */
  readonly #identityKeys: readonly string[];
  /** Of the key of its record, in {@link ChangeCounters}. */
  readonly #counter: number;
  /** That its record is missing or invalid, until its key changes: a known caller then causes no lookup of it. */
  #unusable: { readonly stored: StoredRecord<Client>; readonly version: number } | undefined;

  constructor(clientId: string, identityKeys: readonly string[], counter: number) {
    this.clientId = clientId;
    this.#identityKeys = identityKeys;
    this.#counter = counter;
  }

  /** The approximate memory that it takes. */
  get bytes(): number {
    return BYTES_PER_CANDIDATE + this.clientId.length + BYTES_PER_KEY * this.#identityKeys.length;
  }

  /** Whether the index names it by the certificate itself or its key: only the owner of the key can present that. */
  get isRegisteredByKey(): boolean {
    return this.#identityKeys.some((key) => key.startsWith('thumbprint:') || key.startsWith('public_key:'));
  }

  /**
   * Finds its record. `none` if that does not register any of the identities.
   *
   * @returns a promise unless the record is cached
   * @throws {OAuthError} temporarily_unavailable if the lookup fails
   */
  find(
    clients: Pick<RecordCache<Client>, 'find'>,
    changes: ChangeCounters,
  ): StoredRecord<Client> | Promise<StoredRecord<Client>> {
    const version = changes.count(this.#counter);
    if (this.#unusable?.version === version) return this.#unusable.stored;
    const found = clients.find(this.clientId);
    return found instanceof Promise
      ? found.then((stored) => this.#confirm(stored, version))
      : this.#confirm(found, version);
  }

  /** @param version before the lookup */
  #confirm(stored: StoredRecord<Client>, version: number): StoredRecord<Client> {
    if (stored.kind === 'record') return this.#isRegistered(stored.record) ? stored : { kind: 'none' };
    this.#unusable = { stored, version };
    return stored;
  }

  #isRegistered(client: Client): boolean {
    const registered = registeredKeySet(client);
    return this.#identityKeys.some((key) => registered.has(key));
  }
}

const keySets = new WeakMap<Client, ReadonlySet<string>>();

/** Computed once for each client, since it hashes names. */
function registeredKeySet(client: Client): ReadonlySet<string> {
  const known = keySets.get(client);
  if (known) return known;
  const keys = new Set(registeredKeys(client));
  keySets.set(client, keys);
  return keys;
}
