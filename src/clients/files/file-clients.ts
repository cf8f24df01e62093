import { setImmediate as otherWork } from 'node:timers/promises';
import { isClientId } from '../../oauth/client-id.ts';
import { readFileState } from '../../watch-files.ts';
import type { Client } from '../client.ts';
import { parseClient } from '../parse-client.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import {
  clientIdOf,
  fileDiagnosticOf,
  type LocatedDiagnostic,
  type RecordDiagnostic,
  recordDiagnosticOf,
} from './diagnostics.ts';
import { ClientsFileError, type FileRecord, isJsonLines, recordLocation } from './parse-records.ts';
import { isStream, type RecordReadResult, readRecords } from './read-records.ts';

/** What files of clients hold: the clients that are sound, and everything that is to be said about the others. */
export interface ClientsFilesResult {
  /** The files that were read, as messages call them. */
  readonly names: readonly string[];
  readonly clients: readonly Client[];
  /** With one, a file is not to be used: where it cannot be read at all, no clients are no sound answer. */
  readonly errors: readonly LocatedDiagnostic[];
  readonly warnings: readonly RecordDiagnostic[];
  /** Where one of the clients stands. */
  readonly locate: (clientId: string) => RecordLocation;
}

/**
 * Reads files of client records: YAML, JSON or JSON Lines, a list or `{clients: [list]}`. All errors are collected.
 *
 * @param now milliseconds since the epoch
 * @throws the signal's reason, when it says so
 */
export async function readClientsFiles(
  files: readonly string[],
  policy: RegistrationPolicy,
  now: number,
  signal?: AbortSignal,
): Promise<ClientsFilesResult> {
  const clients: Client[] = [];
  const errors: LocatedDiagnostic[] = [];
  const warnings: RecordDiagnostic[] = [];
  const all = new FileClients(files, {
    policy,
    now,
    onError: (error) => errors.push(error),
    onWarning: (warning) => warnings.push(warning),
    signal,
  });
  for await (const batch of all.batches()) for (const { client } of batch) clients.push(client);
  signal?.throwIfAborted();
  return { names: all.names, clients, errors, warnings, locate: (clientId) => all.locate(clientId) };
}

/** A client of a file, sound by itself. */
export interface FileClient {
  /** Counted from 0 over all files, with those that are not sound. */
  readonly index: number;
  readonly client: Client;
  /** As it came from the file. */
  readonly record: unknown;
}

/** The file, and which of its records it is. */
export type RecordLocation = Pick<RecordDiagnostic, 'file' | 'location'>;

export interface FileClientsOptions {
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly onError: (error: LocatedDiagnostic) => void;
  readonly onWarning: (warning: RecordDiagnostic) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The clients of some files, by one set of rules for whoever reads them. Of each, only its name and location are kept; no
 * record that has a error comes out of `batches`.
 */
export class FileClients {
  readonly #files: readonly string[];
  readonly #options: FileClientsOptions;
  readonly #names: string[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #places: number[] = [];

  constructor(files: readonly string[], options: FileClientsOptions) {
    this.#files = files;
    this.#options = options;
  }

  /** The files that were read, as messages call them. */
  get names(): readonly string[] {
    return this.#names;
  }

  has(clientId: string): boolean {
    return this.#indexes.has(clientId);
  }

  clientIdAt(index: number): string {
    return this.#ids[index] ?? '';
  }

  /** Where a client stands that one of them has. */
  locate(clientId: string): RecordLocation {
    return this.#locateAt(this.#indexes.get(clientId) ?? 0);
  }

  /** The same in words, by its number. */
  describeLocationAt(index: number): string {
    const { file, location } = this.#locateAt(index);
    return `${file}, ${location}`;
  }

  #locateAt(index: number): RecordLocation {
    const location = this.#places[index] ?? 0;
    const file = this.#names[Math.floor(location / RECORDS_IN_FILE)] ?? '';
    return { file, location: recordLocation(file, location % RECORDS_IN_FILE) };
  }

  /**
   * Reads all files once.
   *
   * @throws the signal's reason, when it says so
   */
  async *batches(): AsyncGenerator<readonly FileClient[]> {
    for (const file of this.#files) {
      try {
        yield* this.#clientsOf(file);
      } catch (error) {
        if (!(error instanceof ClientsFileError)) throw error;
        this.#options.onError(fileDiagnosticOf(error));
      }
    }
  }

  async *#clientsOf(file: string): AsyncGenerator<readonly FileClient[]> {
    const before = stateOf(file);
    const { name, batches } = await readRecords(file, this.#options.signal);
    this.#names.push(name);
    let records = 0;
    for await (const batch of batches) {
      records += batch.length;
      for (const part of inParts(batch)) {
        // A server goes on answering, however many there are.
        await otherWork();
        this.#options.signal?.throwIfAborted();
        yield part.flatMap((record) => this.#read(record) ?? []);
      }
    }
    // Perhaps only a part was there: with --prune, all others would be removed.
    if (stateOf(file) !== before) throw new ClientsFileError(name, 'was changed while it was read; try again');
    // One that was cut off before its first line would remove everybody.
    if (records === 0 && isJsonLines(name)) throw new ClientsFileError(name, `holds no record; ${HOW_TO_SAY_NONE}`);
  }

  #read(record: RecordReadResult): FileClient | undefined {
    if (record instanceof ClientsFileError) {
      this.#options.onError(fileDiagnosticOf(record));
      return undefined;
    }
    const { policy, now, onError, onWarning } = this.#options;
    const name = this.#names.at(-1) ?? '';
    const index = this.#take(record, name);
    const read = parseClient(record.value, policy, now);
    if (!read.ok) for (const error of read.errors) onError(recordDiagnosticOf(name, record, error));
    if (!read.ok || index === undefined) return undefined;
    for (const warning of read.warnings) onWarning(recordDiagnosticOf(name, record, warning));
    return { index, client: read.client, record: record.value };
  }

  /** A name counts as taken also by a record that has errors, so that all are told at once. */
  #take(record: FileRecord, name: string): number | undefined {
    const clientId = clientIdOf(record.value);
    if (clientId === undefined || !isClientId(clientId)) return undefined;
    const earlier = this.#indexes.get(clientId);
    if (earlier !== undefined) {
      const message = `is taken by ${this.describeLocationAt(earlier)}; a client has one record`;
      this.#options.onError(recordDiagnosticOf(name, record, { field: 'client_id', message }));
      return undefined;
    }
    const index = this.#ids.push(clientId) - 1;
    this.#indexes.set(clientId, index);
    this.#places.push((this.#names.length - 1) * RECORDS_IN_FILE + record.number);
    return index;
  }
}

function stateOf(file: string): string {
  return isStream(file) ? file : readFileState(file);
}

const HOW_TO_SAY_NONE = 'for no clients at all, give a file .json that holds []';

/** A location is one number, since there may be a million. */
const RECORDS_IN_FILE = 2 ** 32;
const PART = 1_000;

function* inParts(batch: readonly RecordReadResult[]): Generator<readonly RecordReadResult[]> {
  for (let start = 0; start < batch.length; start += PART) yield batch.slice(start, start + PART);
}
