import { constants, createReadStream, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { STANDARD_INPUT } from './find-files.ts';
import { parseInWorker } from './parse-in-worker.ts';
import { ClientsFileError, type FileRecord, isJsonLines, parseLine } from './parse-records.ts';

/** A record, or why it could not be parsed. */
export type RecordReadResult = FileRecord | ClientsFileError;

/** The records of one file, and the name by which messages call it. */
export interface RecordsOfFile {
  readonly name: string;
  readonly batches: AsyncIterable<readonly RecordReadResult[]>;
}

const MAX_LINE_CHARACTERS = 16 * 1_048_576;
/** A text can be twice as long, and what is parsed of it takes several times as much. */
const MAX_WHOLE_CHARACTERS = 256 * 1_048_576;

/**
 * Reads the records of a file, or of the standard input. JSON Lines are streamed; anything else is read as a whole.
 *
 * @throws {ClientsFileError} from `batches`, when the file cannot be read or is not one of records
 * @throws the signal's reason, likewise
 */
export async function readRecords(file: string, signal?: AbortSignal): Promise<RecordsOfFile> {
  const isInput = file === STANDARD_INPUT;
  const chunks = textOf(file, isInput ? 'standard input' : file);
  const whole = (name: string, text: AsyncIterable<string>) => wholeOf(name, text, signal);
  if (!isInput) return { name: file, batches: isJsonLines(file) ? linesOf(file, chunks) : whole(file, chunks) };
  const { isLines, text } = await recognize(chunks);
  // By its name a file says that it is JSON Lines.
  const name = isLines ? 'standard input.jsonl' : 'standard input';
  return { name, batches: isLines ? linesOf(name, text) : whole(name, text) };
}

async function* textOf(file: string, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of openSource(file)) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    const isText = !(error instanceof TypeError);
    // Where it is a file that cannot be opened, Node says its name once more.
    const reason = error instanceof Error ? error.message.replace(/, open '.*'$/s, '') : String(error);
    const message = isText ? reason : 'it is not text in UTF-8';
    throw new ClientsFileError(name, message);
  }
}

const TOO_LONG = 'it is longer than 256 MiB; only JSON Lines (.jsonl, a record a line) may be';

async function* wholeOf(
  name: string,
  chunks: AsyncIterable<string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly RecordReadResult[]> {
  const texts: string[] = [];
  let length = 0;
  for await (const text of chunks) {
    length += text.length;
    if (length > MAX_WHOLE_CHARACTERS) throw new ClientsFileError(name, TOO_LONG);
    texts.push(text);
  }
  yield await parseInWorker(name, texts.join(''), signal);
}

async function* linesOf(name: string, chunks: AsyncIterable<string>): AsyncGenerator<readonly RecordReadResult[]> {
  let rest = '';
  let number = 0;
  const read = (line: string) => {
    number += 1;
    return readLine(name, line, number);
  };
  for await (const text of chunks) {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARACTERS) throw new ClientsFileError(name, `line ${number + 1} is too long`);
    yield lines.flatMap(read);
  }
  yield read(rest);
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

/** Whether the first line of an input is a whole record, which makes it JSON Lines. */
async function recognize(chunks: AsyncGenerator<string>): Promise<{ isLines: boolean; text: AsyncIterable<string> }> {
  let head = '';
  while (!head.includes('\n') && head.length < MAX_LINE_CHARACTERS) {
    const { value, done } = await chunks.next();
    if (done) break;
    head += value;
  }
  return { isLines: isRecordLine(head.split('\n', 1)[0] ?? ''), text: chain(head, chunks) };
}

function isRecordLine(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'client_id' in value;
  } catch {
    return false;
  }
}

async function* chain(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

const READ_OCTETS = 262_144;

/** Whether it comes once, and so cannot change while it is read: standard input, and a pipe that has a name. */
export function isStream(file: string): boolean {
  return file === STANDARD_INPUT || isPipe(file);
}

/**
 * The octets of a file, a pipe or the standard input.
 *
 * @throws where it cannot be opened; of a file, the stream does
 */
export function openSource(file: string): Readable {
  if (file === STANDARD_INPUT) return process.stdin;
  if (!isPipe(file)) return createReadStream(file, { highWaterMark: READ_OCTETS });
  // A thread that waits for somebody to write would keep the process from ending, also after Ctrl-C.
  return new Socket({ fd: openSync(file, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
}

function isPipe(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFIFO() === true;
}
