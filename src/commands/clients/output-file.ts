import { createWriteStream, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { StartupError } from '../../operations/startup-error.ts';
import { writeTexts } from '../document.ts';

const MODE = 0o640;

/** Why `--out FILE` is not written without `--force`. */
export function isThereAlready(path: string): StartupError {
  return new StartupError([`${path} is there already; --force writes over it`]);
}

/** @throws {StartupError} where a file would be written over; a device such as `/dev/null` loses nothing */
export function requireNoFile(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) throw isThereAlready(path);
}

/**
 * Writes a file, which is then there as a whole, or as it was before.
 *
 * @throws {StartupError} where it cannot be written
 */
export async function writeOutputFile(path: string, texts: AsyncIterable<string>): Promise<void> {
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

async function replace(path: string, texts: AsyncIterable<string>): Promise<void> {
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

async function write(path: string, texts: AsyncIterable<string>): Promise<void> {
  const stream = createWriteStream(path, { mode: MODE });
  const written = finished(stream);
  await Promise.race([writeTexts(texts, stream), written]);
  stream.end();
  await written;
}
