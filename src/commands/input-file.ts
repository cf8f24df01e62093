import { createReadStream } from 'node:fs';
import { STANDARD_INPUT } from '../clients/files/find-files.ts';
import { fileErrorReason } from '../errors/file-error.ts';
import { ConfigurationError, OperatorError } from '../errors/operator-error.ts';
import { FileContentError } from '../files/file-content-error.ts';
import { encodingProblem } from '../files/text-encoding.ts';

/** The file, or standard input, that a command reads. */
export interface InputFile {
  /** As messages name it. */
  readonly name: string;
  readonly content: Buffer;
}

const MEBIBYTE = 1024 * 1024;

/**
 * Reads a file, or standard input when the path is `-`. Either may be a pipe.
 *
 * @throws {ConfigurationError} if the path is empty
 * @throws {OperatorError} with the file and why it cannot be read
 */
export async function readInput(path: string, maxMebibytes: number): Promise<InputFile> {
  // Of a shell variable, usually.
  if (path === '') throw new ConfigurationError(['the path of the file is empty']);
  const name = path === STANDARD_INPUT ? 'standard input' : path;
  try {
    const stream = path === STANDARD_INPUT ? process.stdin : createReadStream(path);
    return { name, content: await readBounded(stream, maxMebibytes) };
  } catch (error) {
    throw inputError(name, error);
  }
}

/** What is endless, such as a device, must not fill the memory. */
async function readBounded(stream: AsyncIterable<Buffer>, maxMebibytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxMebibytes * MEBIBYTE) throw new FileContentError(`is larger than ${maxMebibytes} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Parses what was read.
 *
 * @throws {OperatorError} with the file and what `parse` threw
 */
export function parseInput<Value>({ name, content }: InputFile, parse: (content: Buffer) => Value): Value {
  try {
    return parse(content);
  } catch (error) {
    throw inputError(name, error);
  }
}

/**
 * The text of a file. A byte order mark stays in it.
 *
 * @throws {OperatorError} with the file, and its encoding or the first line that is not UTF-8
 */
export function decodeInput({ name, content }: InputFile): string {
  const problem = encodingProblem(content);
  if (problem !== undefined) throw new OperatorError([`${name}: ${problem}`]);
  return content.toString('utf8');
}

function inputError(name: string, error: unknown): OperatorError {
  return new OperatorError([`${name}: ${fileErrorReason(error)}`]);
}
