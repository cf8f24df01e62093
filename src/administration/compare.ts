import type { Client } from '../clients/client.ts';
import { registeredKeys } from '../clients/registered-identities.ts';
import type { StoredValue } from '../redis/commands/values.ts';
import { type Change, changedFields, planRecord, planRemoval } from './change.ts';
import { ChangeLog } from './change-log.ts';
import type { RegistrationContext } from './conflict.ts';
import type { DesiredClient, DesiredClients } from './desired-clients.ts';
import { IdentityIndex } from './identity-index.ts';
import { prefetch } from './prefetch.ts';
import type { Progress, RecordStore } from './record-store.ts';
import { parseStoredValue } from './stored-records.ts';

export interface ComparisonOptions extends RegistrationContext {
  /** Whether clients that are in no file are removed. */
  readonly prune: boolean;
  readonly progress: Progress;
}

/** A client of the files, by its index, and an unmanaged client that may share an identity with it. */
interface PossibleConflict {
  readonly index: number;
  readonly clientId: string;
}

interface ComparedClient {
  readonly desired: DesiredClient;
  readonly stored: StoredValue;
  /** By index key, the clients that the index names. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
}

/** Compares the clients of files with those in Redis, and collects the changes. */
export class Comparison {
  readonly changes = new ChangeLog();
  readonly counts = { added: 0, changed: 0, removed: 0, reindexed: 0, unchanged: 0 };
  readonly reenabled: string[] = [];
  /** The identities of the clients of the files. */
  readonly identityIndex = new IdentityIndex();
  readonly possibleConflicts: PossibleConflict[] = [];
  readonly #desired: DesiredClients;
  readonly #store: RecordStore;
  readonly #options: ComparisonOptions;
  /** By the index of a client: the position of its change, or -1. */
  readonly #positions: number[] = [];

  constructor(desired: DesiredClients, store: RecordStore, options: ComparisonOptions) {
    this.#desired = desired;
    this.#store = store;
    this.#options = options;
  }

  /** Compares every client of the files, which are read once. */
  async compareAll(): Promise<void> {
    for await (const batch of prefetch(this.#desired.batches(), (desired) => this.#loadStored(desired))) {
      for (const compared of batch) this.#compare(compared);
      this.#options.progress('compared', this.#positions.length);
    }
  }

  async #loadStored(batch: readonly DesiredClient[]): Promise<readonly ComparedClient[]> {
    // After an error nothing is written, so only further errors of the files matter.
    const needed = this.#desired.errors.count > 0 ? [] : batch;
    const keys = needed.map(({ client }) => registeredKeys(client));
    const [stored, owners] = await Promise.all([
      this.#store.read(needed.map(({ clientId }) => clientId)),
      this.#store.findOwners(keys.flat()),
    ]);
    let position = 0;
    return batch.map((desired, index) => ({
      desired,
      stored: stored[index] ?? { type: 'none' },
      owners: new Map((keys[index] ?? []).map((key) => [key, owners[position++] ?? []])),
    }));
  }

  #compare({ desired, stored, owners }: ComparedClient): void {
    const { clientId, index } = desired;
    const missingKeys = [...owners].flatMap(([key, clientIds]) => (clientIds.includes(clientId) ? [] : [key]));
    const change = planRecord({ ...desired, missingKeys }, stored, this.#options.policy);
    this.#positions[index] = change ? this.#add(change) : -1;
    if (!change) this.counts.unchanged += 1;
    this.identityIndex.add(desired.client, index);
  }

  /**
   * Scans Redis for clients that are in no file, and plans to remove them with `prune`.
   *
   * @returns the `client_id`s of those that are kept
   */
  async findUnmanaged(): Promise<readonly string[]> {
    const unmanaged = new Set<string>();
    let scanned = 0;
    for await (const batch of this.#store.scanClientIds()) {
      const found = new Set(batch.filter((clientId) => !this.#desired.has(clientId) && !unmanaged.has(clientId)));
      for (const clientId of found) unmanaged.add(clientId);
      await (this.#options.prune ? this.#remove([...found]) : this.#keep([...found]));
      scanned += batch.length;
      this.#options.progress('scanned', scanned);
    }
    return this.#options.prune ? [] : [...unmanaged];
  }

  async #remove(clientIds: readonly string[]): Promise<void> {
    const values = await this.#store.read(clientIds);
    for (const [index, clientId] of clientIds.entries()) {
      const change = planRemoval(clientId, values[index] ?? { type: 'none' }, this.#options.policy);
      if (change) this.#add(change);
    }
  }

  /** Indexes records that were written manually, and looks for clients of the files with the same identities. */
  async #keep(clientIds: readonly string[]): Promise<void> {
    const values = await this.#store.read(clientIds);
    const valid = clientIds.flatMap((clientId, index) => {
      const stored = values[index] ?? { type: 'none' as const };
      const client = this.#parse(clientId, stored);
      return client && stored.type === 'string' ? [{ clientId, stored, client, keys: registeredKeys(client) }] : [];
    });
    const owners = await this.#store.findOwners(valid.flatMap(({ keys }) => keys));
    let position = 0;
    for (const { clientId, stored, client, keys } of valid) {
      const addedKeys = keys.filter(() => !owners[position++]?.includes(clientId));
      const write = { clientId, expected: stored, next: stored.text, addedKeys, removedKeys: [] };
      if (addedKeys.length > 0) this.#add({ kind: 'reindexed', ...write });
      for (const index of this.identityIndex.candidates(client)) this.possibleConflicts.push({ index, clientId });
    }
  }

  #add(change: Change): number {
    this.counts[change.kind] += 1;
    if (isReenabled(change)) this.reenabled.push(change.clientId);
    return this.changes.add(change);
  }

  /** A client of the files, by its index. Only changed records are in memory; the others are in Redis. */
  async desiredClient(index: number): Promise<Client | undefined> {
    const clientId = this.#desired.clientIdAt(index);
    const position = this.#positions[index] ?? -1;
    const next = position < 0 ? undefined : this.changes.at(position).next;
    return next === undefined ? this.storedClient(clientId) : this.#parse(clientId, { type: 'string', text: next });
  }

  /** A client in Redis; undefined when it is missing or its record is invalid. */
  async storedClient(clientId: string): Promise<Client | undefined> {
    const [value = { type: 'none' }] = await this.#store.read([clientId]);
    return this.#parse(clientId, value);
  }

  #parse(clientId: string, value: StoredValue): Client | undefined {
    return parseStoredValue(clientId, value, this.#options.policy, this.#options.now).client;
  }
}

function isReenabled(change: Change): boolean {
  const { kind, expected } = change;
  // Most records do not contain `false`, which is faster to find than the changed fields.
  if (kind !== 'changed' || expected.type !== 'string' || !expected.text.includes('false')) return false;
  return changedFields(change).some(({ field, before }) => field === 'enabled' && before === false);
}
