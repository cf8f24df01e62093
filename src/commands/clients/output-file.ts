import { createWriteStream, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { StartupError } from '../../operations/startup-error.ts';
import { writeTexts } from '../document.ts';

const MODE = 0o640;
/** As `-` is the standard input where files are read. */
const STANDARD_OUTPUT = '-';

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
  if (out === undefined || out === STANDARD_OUTPUT) return undefined;
  if (out === '') throw new StartupError(['--out names no file']);
  if (!force && statSync(out, { throwIfNoEntry: false })?.isFile())
    throw new StartupError([`${out} is there already; --force writes over it`]);
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
    // What is no file is written to and not replaced; of a link, the file that it leads to is.
    if (found && !found.isFile()) await write(path, texts);
    else await replace(found ? realpathSync(path) : path, texts);
  } catch (error) {
    const isFromFiles = error instanceof Error && 'syscall' in error;
    throw isFromFiles ? new StartupError([`${path} cannot be written: ${error.message}`]) : error;
  }
}

async function replace(path: string, texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  const discard = () => rmSync(partial, { force: true });
  // A signal may end the process at once.
  process.once('exit', discard);
  try {
    await write(partial, texts);
    renameSync(partial, path);
  } finally {
    discard();
    process.off('exit', discard);
  }
}

async function write(path: string, texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const stream = createWriteStream(path, { mode: MODE });
  const written = finished(stream);
  await Promise.race([writeTexts(texts, stream), written]);
  stream.end();
  await written;
}
