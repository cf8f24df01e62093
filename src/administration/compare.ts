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
  /** Whether clients that no file has are removed. */
  readonly prune: boolean;
  readonly progress: Progress;
}

interface Compared {
  readonly desired: DesiredClient;
  readonly seen: StoredValue;
  /** For each of its identities, whom the index names. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
}

/** A client of the files, by its number, and one that stays in Redis and seems to claim an identity of its. */
export interface PossibleConflict {
  readonly index: number;
  readonly clientId: string;
}

/** Compares the clients of files with those in Redis, and keeps what is to be changed. */
export class Comparison {
  readonly changes = new ChangeLog();
  readonly counts = { added: 0, changed: 0, removed: 0, reindexed: 0, unchanged: 0 };
  readonly reenabled: string[] = [];
  /** What the clients of the files claim. */
  readonly identityIndex = new IdentityIndex();
  readonly possibleConflicts: PossibleConflict[] = [];
  readonly #desired: DesiredClients;
  readonly #store: RecordStore;
  readonly #options: ComparisonOptions;
  /** By the number of a client: where its change is, or -1. */
  readonly #positions: number[] = [];

  constructor(desired: DesiredClients, store: RecordStore, options: ComparisonOptions) {
    this.#desired = desired;
    this.#store = store;
    this.#options = options;
  }

  async compareAll(): Promise<void> {
    for await (const batch of prefetch(this.#desired.batches(), (desired) => this.#compare(desired))) {
      for (const compared of batch) this.#take(compared);
      this.#options.progress('compared', this.#positions.length);
    }
  }

  async #compare(batch: readonly DesiredClient[]): Promise<readonly Compared[]> {
    const keys = batch.map(({ client }) => registeredKeys(client));
    // With a error nothing is written, and only the other errors are still of interest.
    const asked = this.#desired.errors.count > 0 ? [] : batch.map(({ clientId }) => clientId);
    const [seen, named] = await Promise.all([
      this.#store.read(asked),
      this.#store.findOwners(asked.length > 0 ? keys.flat() : []),
    ]);
    let position = 0;
    return batch.map((desired, index) => ({
      desired,
      seen: seen[index] ?? { type: 'none' },
      owners: new Map((keys[index] ?? []).map((key) => [key, named[position++] ?? []])),
    }));
  }

  #take({ desired, seen, owners }: Compared): void {
    const { clientId, index } = desired;
    const unindexed = [...owners].flatMap(([key, names]) => (names.includes(clientId) ? [] : [key]));
    const change = planRecord({ ...desired, missingKeys: unindexed }, seen, this.#options.policy);
    this.#positions[index] = change ? this.#add(change) : -1;
    if (!change) this.counts.unchanged += 1;
    this.identityIndex.add(desired.client, index);
  }

  #add(change: Change): number {
    this.counts[change.kind] += 1;
    if (isReenabled(change)) this.reenabled.push(change.clientId);
    return this.changes.add(change);
  }

  /** A client of the files, by its number: of those only what changes is kept; the others stand in Redis. */
  async desiredClient(index: number): Promise<Client | undefined> {
    const clientId = this.#desired.clientIdAt(index);
    const position = this.#positions[index] ?? -1;
    const next = position < 0 ? undefined : this.changes.at(position).next;
    return next === undefined ? this.storedClient(clientId) : this.#read(clientId, { type: 'string', text: next });
  }

  /** A client as it stands in Redis; undefined also where what stands there is none. */
  async storedClient(clientId: string): Promise<Client | undefined> {
    const [value = { type: 'none' }] = await this.#store.read([clientId]);
    return this.#read(clientId, value);
  }

  #read(clientId: string, value: StoredValue): Client | undefined {
    return parseStoredValue(clientId, value, this.#options.policy, this.#options.now).client;
  }

  /**
   * Goes through all that is in Redis, and with `prune` takes those out that no file has.
   *
   * @returns who stays
   */
  async findUnmanaged(): Promise<readonly string[]> {
    const others = new Set<string>();
    let seen = 0;
    for await (const batch of this.#store.clientIds()) {
      const found = new Set(batch.filter((clientId) => !this.#desired.has(clientId) && !others.has(clientId)));
      for (const clientId of found) others.add(clientId);
      await (this.#options.prune ? this.#remove([...found]) : this.#keep([...found]));
      seen += batch.length;
      this.#options.progress('looked through', seen);
    }
    return this.#options.prune ? [] : [...others];
  }

  /** Those who stay count by their records: whoever was written by hand is not in the index, until now. */
  async #keep(clientIds: readonly string[]): Promise<void> {
    const values = await this.#store.read(clientIds);
    const sound = clientIds.flatMap((clientId, position) => {
      const seen = values[position] ?? { type: 'none' as const };
      const client = this.#read(clientId, seen);
      return client && seen.type === 'string' ? [{ clientId, seen, client, keys: registeredKeys(client) }] : [];
    });
    const named = await this.#store.findOwners(sound.flatMap(({ keys }) => keys));
    let position = 0;
    for (const { clientId, seen, client, keys } of sound) {
      const enter = keys.filter(() => !named[position++]?.includes(clientId));
      if (enter.length > 0)
        this.#add({ kind: 'reindexed', clientId, expected: seen, next: seen.text, addedKeys: enter, removedKeys: [] });
      for (const index of this.identityIndex.candidates(client)) this.possibleConflicts.push({ index, clientId });
    }
  }

  async #remove(clientIds: readonly string[]): Promise<void> {
    const values = await this.#store.read(clientIds);
    for (const [index, clientId] of clientIds.entries()) {
      const change = planRemoval(clientId, values[index] ?? { type: 'none' }, this.#options.policy);
      if (change) this.#add(change);
    }
  }
}

function isReenabled(change: Change): boolean {
  if (change.kind !== 'changed' || change.expected.type !== 'string' || !change.expected.text.includes('false'))
    return false;
  return changedFields(change).some(({ field, before }) => field === 'enabled' && before === false);
}
