import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { parseResource } from '../../resources/parse-resource.ts';
import { idOfRecord, type RecordKey, type RecordType, recordTypes } from '../../resources/record-types.ts';
import type { Resource } from '../../resources/resource.ts';
import { readFileState } from '../../watch/watch-files.ts';
import type { Client } from '../client.ts';
import type { Diagnostic } from '../diagnostics.ts';
import { parseClient } from '../parse-client.ts';
import type { Position } from '../position.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { fileDiagnosticOf, type LocatedDiagnostic, type RecordDiagnostic, recordDiagnosticOf } from './diagnostics.ts';
import { fieldLocator } from './field-position.ts';
import { ClientsFileError, type FileRecord, isJsonLines } from './parse-records.ts';
import { type RecordReadResult, readRecords } from './read-records.ts';
import { RecordIndex } from './record-index.ts';
import { isStream } from './record-source.ts';

/** A valid record of a file. */
export type ValidRecord = RecordKey & {
  /** Counted from 0 over all files and for each type, including invalid records. */
  readonly index: number;
  /** As parsed from the file. */
  readonly value: unknown;
} & Registered;

/** What a valid record registers. */
export type Registered =
  | { readonly type: 'client'; readonly client: Client }
  | { readonly type: 'resource'; readonly resource: Resource };

interface RecordFilesOptions {
  readonly policy: RegistrationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly onError: (error: LocatedDiagnostic) => void;
  readonly onWarning: (warning: RecordDiagnostic) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Where records are from: a file as messages call it, and their texts. */
interface RecordSource {
  readonly name: string;
  readonly textOf: (record: FileRecord) => string;
}

/** Of a million invalid records, mostly for one reason, the others are located by their first line. */
const MAX_LOCATED = 1_000;

/** The records of some files. They are streamed in batches; only their indexes stay in memory. */
export class RecordFiles {
  readonly #names: string[] = [];
  readonly index: Readonly<Record<RecordType, RecordIndex>> = {
    client: new RecordIndex(this.#names),
    resource: new RecordIndex(this.#names),
  };
  readonly #types = new Set<RecordType>();
  readonly #files: readonly string[];
  readonly #options: RecordFilesOptions;
  /** How many records with problems have been parsed again. */
  #located = 0;

  constructor(files: readonly string[], options: RecordFilesOptions) {
    this.#files = files;
    this.#options = options;
  }

  /** The files that were opened, as messages call them. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** The types of which the files have a record, or a list that may be empty. */
  get types(): ReadonlySet<RecordType> {
    return this.#types;
  }

  /**
   * Reads all files once, and yields the valid records.
   *
   * @throws the reason of the signal
   */
  async *batches(): AsyncGenerator<readonly ValidRecord[]> {
    for (const file of this.#files) {
      try {
        yield* this.#recordsOf(file);
      } catch (error) {
        if (!(error instanceof ClientsFileError)) throw error;
        this.#options.onError(fileDiagnosticOf(error));
      }
    }
  }

  async *#recordsOf(file: string): AsyncGenerator<readonly ValidRecord[]> {
    const before = stateOf(file);
    const { name, batches } = await readRecords(file, this.#options.signal);
    this.#names.push(name);
    let records = 0;
    for await (const { results, lists, textOf } of batches) {
      for (const type of lists) this.#types.add(type);
      records += results.length;
      for (const part of split(results)) {
        // Requests are served between any two parts.
        await yieldToEventLoop();
        this.#options.signal?.throwIfAborted();
        yield part.flatMap((result) => this.#parse(result, { name, textOf }) ?? []);
      }
    }
    // The file may have been incomplete, and --prune would remove the missing records.
    if (stateOf(file) !== before) throw new ClientsFileError(name, 'changed while it was read; try again');
    // A file that was truncated to nothing would remove all clients.
    if (records === 0 && isJsonLines(name)) throw new ClientsFileError(name, NO_RECORDS);
  }

  #parse(result: RecordReadResult, source: RecordSource): ValidRecord | undefined {
    const { onError, onWarning } = this.#options;
    if (result instanceof ClientsFileError) {
      onError(fileDiagnosticOf(result));
      return undefined;
    }
    const locate = this.#locate(result, source);
    this.#types.add(result.type);
    const position = this.#register(result, (error) => onError(locate(error)));
    const parsed = this.#parseRecord(result);
    if (!parsed.ok) for (const error of parsed.errors.map(locate).toSorted(byPosition)) onError(error);
    if (!parsed.ok || position === undefined) return undefined;
    for (const warning of parsed.warnings) onWarning(locate(warning));
    return { ...position, value: result.value, ...parsed.record };
  }

  /** Adds the position to the problems of a record. Its text is parsed again for the first one. */
  #locate(record: FileRecord, { name, textOf }: RecordSource): (problem: Diagnostic) => RecordDiagnostic {
    let positionOf: ((field: string) => Position) | undefined;
    return (problem) => {
      if (!positionOf) this.#located += 1;
      positionOf ??=
        this.#located > MAX_LOCATED ? () => record.start : fieldLocator({ text: textOf(record), start: record.start });
      return recordDiagnosticOf(name, record, positionOf(problem.field), problem);
    };
  }

  #parseRecord({ type, value }: FileRecord): RecordParseResult {
    const { policy, now } = this.#options;
    const problem = misplacementOf(type, value);
    if (problem) return { ok: false, errors: [problem] };
    if (type === 'client') {
      const parsed = parseClient(value, policy, now);
      return parsed.ok ? { ...parsed, record: { type, client: parsed.client } } : parsed;
    }
    const parsed = parseResource(value, policy);
    return parsed.ok ? { ok: true, record: { type, resource: parsed.resource }, warnings: [] } : parsed;
  }

  /** Records with errors are registered as well, so that duplicates are reported together with other errors. */
  #register(
    record: FileRecord,
    onError: (error: Diagnostic) => void,
  ): { readonly id: string; readonly index: number } | undefined {
    const { type, value } = record;
    const { isId, idField } = recordTypes[type];
    const id = idOfRecord(type, value);
    if (id === undefined || !isId(id)) return undefined;
    const index = this.index[type].add(id, record);
    if (typeof index === 'number') return { id, index };
    onError({ field: idField, message: `is already defined in ${index}; a ${type} has one record` });
    return undefined;
  }
}

function byPosition(one: Position, other: Position): number {
  return one.line - other.line || one.column - other.column;
}

type RecordParseResult =
  | { readonly ok: true; readonly record: Registered; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly errors: readonly Diagnostic[] };

/** Why a record seems to be in the list of another type. */
function misplacementOf(type: RecordType, value: unknown): Diagnostic | undefined {
  const otherType = type === 'client' ? 'resource' : 'client';
  if (idOfRecord(type, value) !== undefined || idOfRecord(otherType, value) === undefined) return undefined;
  const [here, there] = [recordTypes[type], recordTypes[otherType]];
  const found = `has "${there.idField}" and no "${here.idField}"`;
  return { field: '(record)', message: `${found}: move it to "${there.list}", or add "${here.idField}"` };
}

const NO_RECORDS = 'contains no record; if there are no clients, use a .json file that contains []';

function stateOf(file: string): string {
  return isStream(file) ? file : readFileState(file);
}

const PART_LENGTH = 1_000;

function* split(batch: readonly RecordReadResult[]): Generator<readonly RecordReadResult[]> {
  for (let start = 0; start < batch.length; start += PART_LENGTH) yield batch.slice(start, start + PART_LENGTH);
}
