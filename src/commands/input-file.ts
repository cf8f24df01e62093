import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { STANDARD_INPUT } from '../clients/files/find-files.ts';
import { OperatorError } from '../operator-error.ts';

/** What a command was given to read. */
export interface InputFile {
  /** For people. */
  readonly name: string;
  readonly content: Buffer;
}

/**
 * Reads a file, or standard input where its name is `-`.
 *
 * @throws {OperatorError} where it cannot be read
 */
export async function readInput(path: string): Promise<InputFile> {
  const name = path === STANDARD_INPUT ? 'standard input' : path;
  try {
    return { name, content: await (path === STANDARD_INPUT ? buffer(process.stdin) : readFile(path)) };
  } catch (error) {
    throw new OperatorError([`${name}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}
