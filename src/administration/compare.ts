import type { Client } from '../clients/client.ts';
import type { RegistrationPolicy } from '../clients/registration-policy.ts';
import { serializeClient } from '../clients/serialize-record.ts';
import type { IdentityOwner } from '../clients/sharing/find-shared-identities.ts';
import { IdentityIndex } from '../clients/sharing/identity-index.ts';
import type { StoredValue } from '../redis/commands/values.ts';
import { clientKey, type RecordKey, type RecordType } from '../resources/record-types.ts';
import { type Change, indexKeysOf, planRecord, planRemoval } from './change.ts';
import { ChangeLog } from './change-log.ts';
import type { DesiredRecord, DesiredRecords } from './desired-records.ts';
import { prefetch } from './prefetch.ts';
import type { Progress, RecordStore } from './record-store.ts';
import { decodeStoredValue, parseRegistered, parseStoredValue } from './stored-records.ts';

export interface ComparisonOptions {
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether records that are in no file are removed, if the files have others of their type. */
  readonly prune: boolean;
  /** Whether clients that are disabled in Redis stay so, even if the files enable them. Default: false. */
  readonly keepDisabled?: boolean;
  readonly progress: Progress;
}

interface ComparedRecord {
  readonly desired: DesiredRecord;
  readonly stored: StoredValue;
  /** By index key, the ids of the records that the index names. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
}

/** Compares the records of files with those in Redis, and collects the changes. */
export class Comparison {
  readonly changes = new ChangeLog();
  readonly counts = { added: 0, changed: 0, removed: 0, reindexed: 0, unchanged: 0 };
  readonly reenabled: string[] = [];
  readonly keptDisabled: string[] = [];
  /** How many records are removed, and how many there are in Redis, by type. */
  readonly removals: Record<RecordType, { removed: number; total: number }> = {
    client: { removed: 0, total: 0 },
    resource: { removed: 0, total: 0 },
  };
  /** The identities of the clients of the files, by their indexes, and then of unmanaged clients that may share one. */
  readonly identityIndex = new IdentityIndex();
  readonly #desired: DesiredRecords;
  readonly #store: RecordStore;
  readonly #options: ComparisonOptions;
  /** By the index of a client: the position of its change, or -1. */
  readonly #positions: number[] = [];
  /** The unmanaged clients in the index of identities, whose numbers follow those of the files. */
  readonly #unmanaged: string[] = [];
  #compared = 0;

  constructor(desired: DesiredRecords, store: RecordStore, options: ComparisonOptions) {
    this.#desired = desired;
    this.#store = store;
    this.#options = options;
  }

  /** Compares every record of the files, which are read once. */
  async compareAll(): Promise<void> {
    for await (const batch of prefetch(this.#desired.batches(), (desired) => this.#loadStored(desired))) {
      for (const compared of batch) this.#compare(compared);
      this.#compared += batch.length;
      this.#options.progress('compared', this.#compared);
    }
  }

  async #loadStored(batch: readonly DesiredRecord[]): Promise<readonly ComparedRecord[]> {
    // After an error nothing is written, so only further errors of the files matter.
    const needed = this.#desired.errors.count > 0 ? [] : batch;
    const keys = needed.map((desired) => indexKeysOf(desired).map((indexKey) => ({ type: desired.type, indexKey })));
    const [stored, owners] = await Promise.all([this.#store.read(needed), this.#store.findOwners(keys.flat())]);
    let position = 0;
    return batch.map((desired, index) => ({
      desired,
      stored: stored[index] ?? { type: 'none' },
      owners: new Map((keys[index] ?? []).map(({ indexKey }) => [indexKey, owners[position++] ?? []])),
    }));
  }

  #compare({ desired, stored, owners }: ComparedRecord): void {
    const { id } = desired;
    const missingKeys = [...owners].flatMap(([key, ids]) => (ids.includes(id) ? [] : [key]));
    const text = enablesDisabled(desired, stored) ? this.#textOfDisabled(desired) : desired.text;
    const target = { ...desired, text, indexKeys: [...owners.keys()], missingKeys };
    const change = planRecord(target, stored, this.#options.policy);
    const position = change ? this.#add(change) : -1;
    if (!change) this.counts.unchanged += 1;
    if (desired.type !== 'client') return;
    this.#positions[desired.index] = position;
    this.identityIndex.add(desired.client, desired.index);
  }

  /** The text to write for a client that is disabled in Redis, and that the files enable. */
  #textOfDisabled({ id, text }: DesiredRecord): string {
    const { keepDisabled = false } = this.#options;
    (keepDisabled ? this.keptDisabled : this.reenabled).push(id);
    return keepDisabled ? serializeClient({ ...JSON.parse(text), enabled: false }) : text;
  }

  /**
   * Scans Redis for records of a type that are in no file, and plans to remove them with `prune`. Files without any
   * record or list of the type do not manage it: its records are kept.
   *
   * @returns the ids of those that are kept, in no particular order
   */
  async findUnmanaged(type: RecordType): Promise<readonly string[]> {
    const isPruning = this.#options.prune && this.#desired.types.has(type);
    const unmanaged = new Set<string>();
    let scanned = 0;
    for await (const batch of this.#store.scanIds(type)) {
      const found = new Set(batch.filter((id) => !this.#desired.has({ type, id }) && !unmanaged.has(id)));
      this.removals[type].total += batch.length;
      for (const id of found) unmanaged.add(id);
      const keys = [...found].map((id) => ({ type, id }));
      await (isPruning ? this.#remove(keys) : this.#keep(keys));
      scanned += batch.length;
      this.#options.progress('scanned', scanned);
    }
    return isPruning ? [] : [...unmanaged];
  }

  async #remove(keys: readonly RecordKey[]): Promise<void> {
    const values = await this.#store.read(keys);
    for (const [index, key] of keys.entries()) {
      const change = planRemoval(key, values[index] ?? { type: 'none' }, this.#options.policy);
      if (change) this.#add(change);
      if (change) this.removals[key.type].removed += 1;
    }
  }

  /** Indexes records that were written manually, and looks for clients of the files with the same identities. */
  async #keep(keys: readonly RecordKey[]): Promise<void> {
    const values = await this.#store.read(keys);
    const valid = keys.flatMap((key, index) => {
      const stored = values[index] ?? { type: 'none' as const };
      const registered = parseRegistered(key, stored, this.#options.policy, this.#options.now);
      if (!registered || stored.type !== 'string') return [];
      const indexKeys = indexKeysOf(registered).map((indexKey) => ({ type: key.type, indexKey }));
      return [{ key, stored, registered, indexKeys }];
    });
    const owners = await this.#store.findOwners(valid.flatMap(({ indexKeys }) => indexKeys));
    let position = 0;
    for (const { key, stored, registered, indexKeys } of valid) {
      const missing = indexKeys.filter(() => !owners[position++]?.includes(key.id));
      const addedKeys = missing.map(({ indexKey }) => indexKey);
      const write = { ...key, expected: stored, next: stored.text, addedKeys, removedKeys: [] };
      if (addedKeys.length > 0) this.#add({ kind: 'reindexed', ...write });
      if (registered.type === 'client') this.#indexUnmanaged(registered.client);
    }
  }

  #indexUnmanaged(client: Client): void {
    if (!this.identityIndex.hasCandidates(client)) return;
    this.identityIndex.add(client, this.#desired.clientCount + this.#unmanaged.push(client.clientId) - 1);
  }

  #add(change: Change): number {
    this.counts[change.kind] += 1;
    return this.changes.add(change);
  }

  /** The clients of the index of identities, as they will be. Only changed records are in memory; the others are in Redis. */
  async loadOwners(numbers: readonly number[]): Promise<(IdentityOwner | undefined)[]> {
    const known = numbers.map((number) => this.#changedText(number));
    const missing = numbers.filter((_, index) => known[index] === undefined).map((number) => this.#clientIdAt(number));
    const values = (await this.#store.read(missing.map(clientKey))).values();
    return numbers.map((number, index) => {
      const text = known[index];
      const value = text === undefined ? values.next().value : ({ type: 'string', text } as const);
      return this.#ownerOf(number, value ?? { type: 'none' });
    });
  }

  /** The record that will be written for a client of the files. */
  #changedText(number: number): string | undefined {
    const position = this.#positions[number] ?? -1;
    return position < 0 ? undefined : this.changes.at(position).next;
  }

  #ownerOf(number: number, value: StoredValue): IdentityOwner | undefined {
    const { policy, now } = this.#options;
    const { client } = parseStoredValue(this.#clientIdAt(number), value, policy, now);
    const isOfFiles = number < this.#desired.clientCount;
    return client && { client, location: isOfFiles ? this.#desired.locationAt(number) : undefined };
  }

  #clientIdAt(number: number): string {
    const { clientCount } = this.#desired;
    return number < clientCount ? this.#desired.clientIdAt(number) : (this.#unmanaged[number - clientCount] ?? '');
  }
}

function enablesDisabled(desired: DesiredRecord, stored: StoredValue): boolean {
  if (desired.type !== 'client' || !desired.client.enabled) return false;
  // Most records do not contain `false`, which is faster to find than to decode them.
  if (stored.type !== 'string' || !stored.text.includes('false')) return false;
  const record = decodeStoredValue(desired, stored);
  return typeof record === 'object' && record.enabled === false;
}
