import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  createWriteStream,
  lstatSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs';
import type { Writable } from 'node:stream';
import { StartupError } from '../../operator-error.ts';

const MODE = 0o640;
const OWN_MODE = 0o600;
const PERMISSIONS = 0o777;
const PERMISSIONS_WITHOUT_GROUP = 0o707;

/**
 * Writes a file beside another one and puts it in its place, so that there is a whole one at every moment.
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
  throw new StartupError([`${path} cannot be written: it is a link to what is not there`]);
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
