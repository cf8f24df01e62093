import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  constants,
  createWriteStream,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../../operator-error.ts';
import { writeTexts } from '../output/document.ts';

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
 * @throws {OperatorError} where a file would be written over; a device such as `/dev/null` loses nothing
 */
export function resolveOutputFile({ out, force = false }: OutputFileOptions): string | undefined {
  if (out === undefined || standardOutput.includes(out)) return undefined;
  if (out === '') throw new OperatorError(['--out names no file']);
  const isThere = explained(out, () => statSync(out, { throwIfNoEntry: false })?.isFile() === true);
  if (isThere && !force) throw new OperatorError([`${out} is there already; --force writes over it`]);
  return out;
}

/**
 * Writes a file, which is then there as a whole, or as it was before.
 *
 * @throws {OperatorError} where it cannot be written
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
  return isFromFiles ? new OperatorError([`${path} cannot be written: ${error.message}`]) : error;
}

const MODE = 0o640;
const OWN_MODE = 0o600;
const PERMISSIONS = 0o777;
const PERMISSIONS_WITHOUT_GROUP = 0o707;

/**
 * Writes a file beside another one and puts it in its location, so that there is a whole one at every moment.
 *
 * @param found what stands at the path; of a link, where it leads to
 * @throws where it cannot be written
 */
export async function replaceFile(
  path: string,
  found: Stats | undefined,
  write: (stream: Writable) => Promise<void>,
): Promise<void> {
  const target = found ? realpathSync(path) : requireNoLink(path);
  // In a folder that others write to, nobody lays a link to something else where it will be.
  const partial = `${target}.${randomBytes(8).toString('hex')}.partial`;
  const discard = () => rmSync(partial, { force: true });
  // A signal may end the process at once.
  process.once('exit', discard);
  try {
    await write(createWriteStream(partial, { flags: 'wx', mode: found ? OWN_MODE : MODE }));
    if (found) keepAccess(partial, found);
    renameSync(partial, target);
  } finally {
    discard();
    process.off('exit', discard);
  }
}

function requireNoLink(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return path;
  throw new OperatorError([`${path} cannot be written: it is a link to what is not there`]);
}

/** Whoever could read the file before can read it then, and nobody else. */
function keepAccess(path: string, { uid, gid, mode }: Stats): void {
  // Only root may give a file away; anybody may give it to a group of theirs.
  const isOfGroup = mayGive(path, uid, gid) || mayGive(path, UNCHANGED, gid);
  chmodSync(path, mode & (isOfGroup ? PERMISSIONS : PERMISSIONS_WITHOUT_GROUP));
}

const UNCHANGED = -1;

function mayGive(path: string, uid: number, gid: number): boolean {
  try {
    chownSync(path, uid, gid);
    return true;
  } catch {
    return false;
  }
}

const ATTEMPT_MILLISECONDS = 50;

/** A device, or a pipe, which is waited for until somebody reads it. */
export async function openSpecial(path: string, found: Stats): Promise<Writable> {
  if (!found.isFIFO()) return createWriteStream(path);
  // A thread that waits would keep the process from ending, also after Ctrl-C.
  for (;;) {
    try {
      return new Socket({ fd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), readable: false });
    } catch (error) {
      if (!isReadByNobody(error)) throw error;
      await delay(ATTEMPT_MILLISECONDS);
    }
  }
}

function isReadByNobody(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENXIO';
}
