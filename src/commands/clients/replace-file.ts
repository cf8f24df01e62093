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
import { OperatorError } from '../../errors/operator-error.ts';

const NEW_FILE_MODE = 0o640;
const OWNER_ONLY_MODE = 0o600;
const PERMISSIONS = 0o777;
const PERMISSIONS_WITHOUT_GROUP = 0o707;

/**
 * Writes a temporary file and renames it, so that the path has complete content at every moment.
 *
 * @param existing the file at the path, or the target of a link there
 * @throws {OperatorError} when the path is a dangling link
 */
export async function replaceFile(
  path: string,
  existing: Stats | undefined,
  write: (stream: Writable) => Promise<void>,
): Promise<void> {
  const target = existing ? realpathSync(path) : requireNoLink(path);
  // In a shared folder, others must not be able to predict the name and place a link there.
  const partial = `${target}.${randomBytes(8).toString('hex')}.partial`;
  const discard = () => rmSync(partial, { force: true });
  // A signal may end the process at once.
  process.once('exit', discard);
  try {
    await write(createWriteStream(partial, { flags: 'wx', mode: existing ? OWNER_ONLY_MODE : NEW_FILE_MODE }));
    if (existing) copyAccess(partial, existing);
    renameSync(partial, target);
  } finally {
    discard();
    process.off('exit', discard);
  }
}

function requireNoLink(path: string): string {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return path;
  throw new OperatorError([`${path} cannot be written: it is a link to a file that does not exist`]);
}

/** Grants access to those who had access to the existing file, and to no one else. */
function copyAccess(path: string, { uid, gid, mode }: Stats): void {
  // Only root may change the owner; others may change the group to one of their own.
  const hasGroup = tryChown(path, uid, gid) || tryChown(path, UNCHANGED, gid);
  chmodSync(path, mode & (hasGroup ? PERMISSIONS : PERMISSIONS_WITHOUT_GROUP));
}

const UNCHANGED = -1;

function tryChown(path: string, uid: number, gid: number): boolean {
  try {
    chownSync(path, uid, gid);
    return true;
  } catch {
    return false;
  }
}
