import { statSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { StartupError } from '../../operator-error.ts';
import { writeTexts } from '../document.ts';
import { replaceFile } from './replace-file.ts';
import { openSpecial } from './special-file.ts';

/** As `-` is the standard input where files are read; the others are the same under Linux, whatever it leads to. */
const standardOutput = ['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'];

/** `--out` and `--force` of a command. */
export interface OutputFileOptions {
  /** The file to write. Default, and `-`: standard output. */
  readonly out?: string;
  /** Whether a file that is there already is written over. */
  readonly force?: boolean;
}

/**
 * The file that is to be written; undefined for the standard output.
 *
 * @throws {StartupError} where a file would be written over; a device such as `/dev/null` loses nothing
 */
export function outputFile({ out, force = false }: OutputFileOptions): string | undefined {
  if (out === undefined || standardOutput.includes(out)) return undefined;
  if (out === '') throw new StartupError(['--out names no file']);
  const isThere = explained(out, () => statSync(out, { throwIfNoEntry: false })?.isFile() === true);
  if (isThere && !force) throw new StartupError([`${out} is there already; --force writes over it`]);
  return out;
}

/**
 * Writes a file, which is then there as a whole, or as it was before.
 *
 * @throws {StartupError} where it cannot be written
 */
export async function writeOutputFile(path: string, texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    // What is no file is written to and not replaced.
    if (found && !found.isFile()) await writeTo(await openSpecial(path, found), texts);
    else await replaceFile(path, found, (stream) => writeTo(stream, texts));
  } catch (error) {
    throw explanationOf(path, error);
  }
}

async function writeTo(stream: Writable, texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const written = finished(stream);
  await Promise.race([writeTexts(texts, stream), written]);
  stream.end();
  await written;
}

function explained<Value>(path: string, look: () => Value): Value {
  try {
    return look();
  } catch (error) {
    throw explanationOf(path, error);
  }
}

/** What the file system says; whatever else went wrong stays what it is. */
function explanationOf(path: string, error: unknown): unknown {
  const isFromFiles = error instanceof Error && 'syscall' in error;
  return isFromFiles ? new StartupError([`${path} cannot be written: ${error.message}`]) : error;
}
