import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { isClientId } from '../../oauth/grammar.ts';
import { readFileState } from '../../watch-files.ts';
import type { Client } from '../client.ts';
import { parseClient } from '../parse-client.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { ClientIndex } from './client-index.ts';
import {
  clientIdOf,
  fileDiagnosticOf,
  type LocatedDiagnostic,
  type RecordDiagnostic,
  recordDiagnosticOf,
} from './diagnostics.ts';
import { ClientsFileError, type FileRecord, isJsonLines } from './parse-records.ts';
import { type RecordReadResult, readRecords } from './read-records.ts';
import { isStream } from './record-source.ts';
import { SpiffeOverlaps } from './spiffe-overlaps.ts';

/** A valid client of a file. */
interface FileClient {
  /** Counted from 0 over all files, including invalid records. */
  readonly index: number;
  readonly client: Client;
  /** As parsed from the file. */
  readonly record: unknown;
}

interface FileClientsOptions {
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly onError: (error: LocatedDiagnostic) => void;
  readonly onWarning: (warning: RecordDiagnostic) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The clients of some files. They are streamed in batches; only their index stays in memory. */
export class FileClients {
  readonly index = new ClientIndex();
  readonly #spiffeOverlaps: SpiffeOverlaps;
  readonly #files: readonly string[];
  readonly #options: FileClientsOptions;

  constructor(files: readonly string[], options: FileClientsOptions) {
    this.#files = files;
    this.#options = options;
    this.#spiffeOverlaps = new SpiffeOverlaps(this.index, options.policy);
  }

  /**
   * Reads all files once, and yields the valid clients.
   *
   * @throws the reason of the signal
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
    this.index.startFile(name);
    let records = 0;
    for await (const batch of batches) {
      records += batch.length;
      for (const part of split(batch)) {
        // Requests are served between any two parts.
        await yieldToEventLoop();
        this.#options.signal?.throwIfAborted();
        yield part.flatMap((result) => this.#parse(result, name) ?? []);
      }
    }
    // The file may have been incomplete, and --prune would remove the missing clients.
    if (stateOf(file) !== before) throw new ClientsFileError(name, 'changed while it was read; try again');
    // A file that was truncated to nothing would remove all clients.
    if (records === 0 && isJsonLines(name)) throw new ClientsFileError(name, NO_RECORDS);
  }

  #parse(result: RecordReadResult, file: string): FileClient | undefined {
    if (result instanceof ClientsFileError) {
      this.#options.onError(fileDiagnosticOf(result));
      return undefined;
    }
    const { policy, now, onError, onWarning } = this.#options;
    const index = this.#register(result, file);
    const parsed = parseClient(result.value, policy, now);
    if (!parsed.ok) for (const error of parsed.errors) onError(recordDiagnosticOf(file, result, error));
    if (!parsed.ok || index === undefined) return undefined;
    const overlap = this.#spiffeOverlaps.add(parsed.client, index);
    if (overlap) onError(recordDiagnosticOf(file, result, overlap));
    if (overlap) return undefined;
    for (const warning of parsed.warnings) onWarning(recordDiagnosticOf(file, result, warning));
    return { index, client: parsed.client, record: result.value };
  }

  /** Records with errors are registered as well, so that duplicates are reported together with other errors. */
  #register(record: FileRecord, file: string): number | undefined {
    const clientId = clientIdOf(record.value);
    if (clientId === undefined || !isClientId(clientId)) return undefined;
    const index = this.index.add(clientId, record.number);
    if (typeof index === 'number') return index;
    const message = `is already defined in ${index}; a client has one record`;
    this.#options.onError(recordDiagnosticOf(file, record, { field: 'client_id', message }));
    return undefined;
  }
}

const NO_RECORDS = 'contains no record; if there are no clients, use a .json file that contains []';

function stateOf(file: string): string {
  return isStream(file) ? file : readFileState(file);
}

const PART_LENGTH = 1_000;

function* split(batch: readonly RecordReadResult[]): Generator<readonly RecordReadResult[]> {
  for (let start = 0; start < batch.length; start += PART_LENGTH) yield batch.slice(start, start + PART_LENGTH);
}
