import { idOfRecord, type RecordType, recordTypeNames } from '../../resources/record-types.ts';
import { STANDARD_INPUT } from './find-files.ts';
import { parseInWorker } from './parse-in-worker.ts';
import { ClientsFileError, type FileRecord, isJsonLines, parseLine } from './parse-records.ts';
import { readText } from './record-source.ts';

/** A record, or why it cannot be parsed. */
export type RecordReadResult = FileRecord | ClientsFileError;

/** Some records of a file. */
interface RecordBatch {
  readonly results: readonly RecordReadResult[];
  /** The types of the lists that the file has, besides those of the records: a list may be empty. */
  readonly lists: readonly RecordType[];
  /** @param record of `results` */
  readonly textOf: (record: FileRecord) => string;
}

/** The records of one file. */
interface FileRecords {
  /** The file as messages call it. */
  readonly name: string;
  readonly batches: AsyncIterable<RecordBatch>;
}

/**
 * Reads the records of a file or of standard input. JSON Lines are streamed; other formats are read as a whole.
 *
 * @throws {ClientsFileError} from `batches`, if the file cannot be read or is not a clients file
 * @throws the reason of the signal, from `batches`
 */
export async function readRecords(file: string, signal?: AbortSignal): Promise<FileRecords> {
  if (file !== STANDARD_INPUT) return recordsOf(file, readText(file, file), isJsonLines(file), signal);
  const { isLines, chunks } = await detectJsonLines(readText(file, 'standard input'));
  // Locations of records depend on the extension of the name.
  return recordsOf(isLines ? 'standard input.jsonl' : 'standard input', chunks, isLines, signal);
}

function recordsOf(
  name: string,
  chunks: AsyncIterable<string>,
  isLines: boolean,
  signal: AbortSignal | undefined,
): FileRecords {
  return { name, batches: isLines ? readLines(name, chunks) : readWhole(name, chunks, signal) };
}

/** JSON Lines if the first line of the input is a complete record. */
async function detectJsonLines(
  chunks: AsyncGenerator<string>,
): Promise<{ isLines: boolean; chunks: AsyncIterable<string> }> {
  let head = '';
  while (!head.includes('\n') && head.length < MAX_LINE_CHARACTERS) {
    const { value, done } = await chunks.next();
    if (done) break;
    head += value;
  }
  return { isLines: isRecordLine(head.split('\n', 1)[0] ?? ''), chunks: prepend(head, chunks) };
}

function isRecordLine(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return recordTypeNames.some((type) => idOfRecord(type, value) !== undefined);
  } catch {
    return false;
  }
}

async function* prepend(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

/** A string of this length can take twice as many bytes, and its parsed value several times as many. */
const MAX_WHOLE_CHARACTERS = 256 * 1_048_576;

async function* readWhole(
  name: string,
  chunks: AsyncIterable<string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordBatch> {
  const texts: string[] = [];
  let length = 0;
  for await (const text of chunks) {
    length += text.length;
    if (length > MAX_WHOLE_CHARACTERS) throw new ClientsFileError(name, TOO_LONG);
    texts.push(text);
  }
  const whole = texts.join('');
  const { records: results, lists } = await parseInWorker(name, whole, signal);
  yield { results, lists, textOf: ({ span }) => whole.slice(span.offset, span.end) };
}

const TOO_LONG = 'is longer than 256 MiB; write it as JSON Lines (.jsonl, one record per line)';

const MAX_LINE_CHARACTERS = 16 * 1_048_576;

async function* readLines(name: string, chunks: AsyncIterable<string>): AsyncGenerator<RecordBatch> {
  let rest = '';
  let count = 0;
  const read = (lines: readonly string[]): RecordBatch => {
    const before = count;
    count += lines.length;
    const results = lines.flatMap((line, index) => readLine(name, line, before + index + 1));
    return { results, lists: [], textOf: ({ number }) => lines[number - before - 1]?.trimStart() ?? '' };
  };
  for await (const text of chunks) {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARACTERS) throw new ClientsFileError(name, `line ${count + 1} is too long`);
    yield read(lines);
  }
  yield read([rest]);
}

function readLine(name: string, line: string, number: number): RecordReadResult[] {
  try {
    const record = parseLine(name, line, number);
    return record ? [record] : [];
  } catch (error) {
    if (error instanceof ClientsFileError) return [error];
    throw error;
  }
}
