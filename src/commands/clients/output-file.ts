import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  createWriteStream,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  type WriteStream,
} from 'node:fs';
import { finished } from 'node:stream/promises';
import { StartupError } from '../../operations/startup-error.ts';
import { writeTexts } from '../document.ts';

const MODE = 0o640;
const OWN_MODE = 0o600;
const PERMISSIONS = 0o777;
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
    if (found && !found.isFile()) await write(createWriteStream(path), texts);
    else await replace(found ? realpathSync(path) : path, texts, found);
  } catch (error) {
    const isFromFiles = error instanceof Error && 'syscall' in error;
    throw isFromFiles ? new StartupError([`${path} cannot be written: ${error.message}`]) : error;
  }
}

async function replace(
  path: string,
  texts: AsyncIterable<string> | Iterable<string>,
  found: Stats | undefined,
): Promise<void> {
  // In a folder that others write to, nobody lays a link to something else where it will be.
  const partial = `${path}.${randomBytes(8).toString('hex')}.partial`;
  const discard = () => rmSync(partial, { force: true });
  // A signal may end the process at once.
  process.once('exit', discard);
  try {
    await write(createWriteStream(partial, { flags: 'wx', mode: found ? OWN_MODE : MODE }), texts);
    if (found) keepAccess(partial, found);
    renameSync(partial, path);
  } finally {
    discard();
    process.off('exit', discard);
  }
}

/** Whoever could read the file before can read it then, and nobody else. */
function keepAccess(path: string, { uid, gid, mode }: Stats): void {
  try {
    chownSync(path, uid, gid);
  } catch {
    // Only root may give a file away: then it is ours from now on.
  }
  chmodSync(path, mode & PERMISSIONS);
}

async function write(stream: WriteStream, texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const written = finished(stream);
  await Promise.race([writeTexts(texts, stream), written]);
  stream.end();
  await written;
}
