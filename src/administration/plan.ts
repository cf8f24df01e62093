import type { Client } from '../clients/client.ts';
import type { RegistrationPolicy } from '../clients/findings.ts';
import { identitiesOf, identityKey } from '../clients/identities.ts';
import type { StoredValue } from '../redis/stored-values.ts';
import { AdministrationError } from './administration-error.ts';
import { BoundedList } from './bounded-list.ts';
import { type Change, changedFields, planRecord, planRemoval } from './change.ts';
import { ChangeLog } from './change-log.ts';
import { ClaimTable } from './claim-table.ts';
import { type Claimant, conflictOf } from './conflict.ts';
import { type DesiredClient, DesiredClients } from './desired-clients.ts';
import { overlapped } from './overlapped.ts';
import type { Progress } from './progress.ts';
import type { RecordStore } from './record-store.ts';
import { readStoredRecord } from './stored-record.ts';

/** What is to be done so that Redis holds what the files say. */
export interface Plan {
  readonly changes: ChangeLog;
  readonly counts: Readonly<Record<Change['kind'] | 'unchanged', number>>;
  /** Clients in Redis that no file has and that stay. */
  readonly notInFiles: readonly string[];
  /** Clients that were disabled and would be enabled, though perhaps somebody had a reason. */
  readonly enabledAgain: readonly string[];
  /** About the records of the files, in whole lines. */
  readonly warnings: readonly string[];
}

export interface PlanOptions {
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether clients that no file has are removed. */
  readonly prune: boolean;
  readonly progress: Progress;
}

/**
 * Compares the records of files with those in Redis.
 *
 * @throws {AdministrationError} with what is wrong with any record, or where Redis fails
 */
export async function makePlan(files: readonly string[], store: RecordStore, options: PlanOptions): Promise<Plan> {
  const planning = new Planning(files, store, options);
  await planning.compareAll();
  await planning.findConflicts();
  planning.requireSoundness();
  await planning.lookForOthers();
  return planning;
}

interface Compared {
  readonly desired: DesiredClient;
  readonly seen: StoredValue;
  /** For each of its identities, whom the index names. */
  readonly claimants: ReadonlyMap<string, readonly string[]>;
}

class Planning implements Plan {
  readonly changes = new ChangeLog();
  readonly counts = { added: 0, changed: 0, removed: 0, indexed: 0, unchanged: 0 };
  readonly #store: RecordStore;
  readonly #options: PlanOptions;
  readonly #desired: DesiredClients;
  readonly #conflicts = new BoundedList();
  readonly enabledAgain: string[] = [];
  readonly #notInFiles = new Set<string>();
  readonly #claims = new ClaimTable();
  /** By the number of a client: where its change is, or -1. */
  readonly #positions: number[] = [];
  /** Clients and others whom the index names for an identity of theirs. */
  readonly #rivals: { readonly index: number; readonly clientId: string }[] = [];

  constructor(files: readonly string[], store: RecordStore, options: PlanOptions) {
    this.#store = store;
    this.#options = options;
    this.#desired = new DesiredClients(files, options.policy, options.now);
  }

  get notInFiles(): readonly string[] {
    return [...this.#notInFiles];
  }

  get warnings(): readonly string[] {
    return this.#desired.warnings.lines();
  }

  async compareAll(): Promise<void> {
    for await (const batch of overlapped(this.#desired.batches(), (desired) => this.#compare(desired))) {
      for (const compared of batch) this.#take(compared);
      this.#options.progress('compared', this.#positions.length);
    }
  }

  async #compare(batch: readonly DesiredClient[]): Promise<readonly Compared[]> {
    const keys = batch.map(({ client }) => identitiesOf(client).map(identityKey));
    // With a fault nothing is written, and only the other faults are still of interest.
    const asked = this.#desired.faults.count > 0 ? [] : batch.map(({ clientId }) => clientId);
    const [seen, named] = await Promise.all([
      this.#store.read(asked),
      this.#store.claimants(asked.length > 0 ? keys.flat() : []),
    ]);
    let position = 0;
    return batch.map((desired, index) => ({
      desired,
      seen: seen[index] ?? { type: 'none' },
      claimants: new Map((keys[index] ?? []).map((key) => [key, named[position++] ?? []])),
    }));
  }

  #take({ desired, seen, claimants }: Compared): void {
    const { clientId, index } = desired;
    const notIndexed = [...claimants].flatMap(([key, names]) => (names.includes(clientId) ? [] : [key]));
    const change = planRecord({ ...desired, notIndexed }, seen, this.#options.policy);
    this.#positions[index] = change ? this.#add(change) : -1;
    if (!change) this.counts.unchanged += 1;
    for (const key of claimants.keys()) this.#claims.add(key, index);
    // With --prune, those who are in no file go.
    if (this.#options.prune) return;
    const rivals = new Set([...claimants.values()].flat());
    rivals.delete(clientId);
    for (const rival of rivals) this.#rivals.push({ index, clientId: rival });
  }

  #add(change: Change): number {
    this.counts[change.kind] += 1;
    if (isEnabledAgain(change)) this.enabledAgain.push(change.clientId);
    return this.changes.add(change);
  }

  async findConflicts(): Promise<void> {
    for (const group of this.#claims.shared()) await this.#compareGroup(group);
    for (const { index, clientId } of this.#rivals) {
      if (this.#desired.has(clientId)) continue;
      // The index is a hint: what its record says counts.
      const client = await this.#stored(clientId);
      const own = client && (await this.#claimant(index));
      if (own) this.#addConflict(own, { client, place: 'in Redis' });
    }
  }

  /** Who conflicts with one is not compared with the others: for a million of one name, that would never end. */
  async #compareGroup(group: readonly number[]): Promise<void> {
    const compared: Claimant[] = [];
    for (const index of group) {
      const claimant = await this.#claimant(index);
      if (claimant && !compared.some((earlier) => this.#addConflict(earlier, claimant))) compared.push(claimant);
    }
  }

  #addConflict(one: Claimant, other: Claimant): boolean {
    const conflict = conflictOf(one, other);
    if (conflict !== undefined) this.#conflicts.add(conflict);
    return conflict !== undefined;
  }

  /** Of the clients of the files only what changes is kept; the others stand in Redis. */
  async #claimant(index: number): Promise<Claimant | undefined> {
    const clientId = this.#desired.clientIdAt(index);
    const position = this.#positions[index] ?? -1;
    const next = position < 0 ? undefined : this.changes.at(position).next;
    const client =
      next === undefined ? await this.#stored(clientId) : this.#read(clientId, { type: 'string', text: next });
    return client && { client, place: this.#desired.placeAt(index) };
  }

  async #stored(clientId: string): Promise<Client | undefined> {
    const [value = { type: 'none' }] = await this.#store.read([clientId]);
    return this.#read(clientId, value);
  }

  #read(clientId: string, value: StoredValue): Client | undefined {
    return readStoredRecord(clientId, value, this.#options.policy, this.#options.now).client;
  }

  requireSoundness(): void {
    const messages = [...this.#desired.faults.lines(), ...this.#conflicts.lines()];
    if (messages.length > 0) throw new AdministrationError([...messages, 'Nothing was written.']);
  }

  async lookForOthers(): Promise<void> {
    let seen = 0;
    for await (const batch of this.#store.clientIds()) {
      const others = batch.filter((clientId) => !this.#desired.has(clientId) && !this.#notInFiles.has(clientId));
      for (const clientId of others) this.#notInFiles.add(clientId);
      if (this.#options.prune) await this.#remove([...new Set(others)]);
      seen += batch.length;
      this.#options.progress('looked through', seen);
    }
    if (this.#options.prune) this.#notInFiles.clear();
  }

  async #remove(clientIds: readonly string[]): Promise<void> {
    const values = await this.#store.read(clientIds);
    for (const [index, clientId] of clientIds.entries()) {
      const change = planRemoval(clientId, values[index] ?? { type: 'none' }, this.#options.policy);
      if (change) this.#add(change);
    }
  }
}

function isEnabledAgain(change: Change): boolean {
  if (change.kind !== 'changed' || change.seen.type !== 'string' || !change.seen.text.includes('false')) return false;
  return changedFields(change).some(({ field, before }) => field === 'enabled' && before === false);
}
