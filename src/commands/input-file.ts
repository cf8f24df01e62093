import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { STANDARD_INPUT } from '../clients/files/find-files.ts';
import { fileErrorReason } from '../file-error.ts';
import { encodingProblem } from '../files/text-encoding.ts';
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
