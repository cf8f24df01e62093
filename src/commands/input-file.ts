import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { STANDARD_INPUT } from '../clients/files/find-files.ts';
import { fileErrorReason } from '../file-error.ts';
import { OperatorError } from '../operator-error.ts';

/** The file, or standard input, that a command reads. */
export interface InputFile {
  /** As messages name it. */
  readonly name: string;
  readonly content: Buffer;
}

/**
 * Reads a file, or standard input when the path is `-`.
 *
 * @throws {OperatorError} with the file and why it cannot be read
 */
export async function readInput(path: string): Promise<InputFile> {
  const name = path === STANDARD_INPUT ? 'standard input' : path;
  try {
    return { name, content: await (path === STANDARD_INPUT ? buffer(process.stdin) : readFile(path)) };
  } catch (error) {
    throw inputError(name, error);
  }
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
 * @throws {OperatorError} with the file and the first line that is not UTF-8
 */
export function decodeInput({ name, content }: InputFile): string {
  if (isUtf8(content)) return content.toString('utf8');
  throw new OperatorError([`${name}: line ${firstInvalidLine(content)}: not valid UTF-8`]);
}

/** No character of UTF-8 but the line feed contains its byte. */
function firstInvalidLine(content: Buffer): number {
  let start = 0;
  for (let line = 1; ; line += 1) {
    const end = content.indexOf('\n', start);
    if (end < 0 || !isUtf8(content.subarray(start, end))) return line;
    start = end + 1;
  }
}

function inputError(name: string, error: unknown): OperatorError {
  return new OperatorError([`${name}: ${fileErrorReason(error)}`]);
}
