import { isUtf8 } from 'node:buffer';
import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileErrorReason } from '../errors/file-error.ts';
import { readBoundedFile } from './bounded-file.ts';
import { describeContent } from './describe-content.ts';
import { FileContentError } from './file-content-error.ts';
import { wideEncodingProblem } from './text-encoding.ts';

const READABLE_BY_OTHERS = 0o004;
const WRITABLE_BY_OTHERS = 0o002;
const STICKY = 0o1000;
const MAX_MEBIBYTES = 1;

/**
 * Reads a file that contains a secret, without the white space around it.
 *
 * @throws {RangeError} if it cannot be read, is not a file, is empty or too large, or may be read or changed by every user
 */
export function readSecretFile(path: string): string {
  const content = readContent(path);
  const wide = wideEncodingProblem(content);
  if (wide !== undefined) throw new RangeError(`${path} ${wide}`);
  if (!isUtf8(content)) throw new RangeError(`${path} is not text in UTF-8${describeInstead(content)}`);
  const text = content.toString('utf8').trim();
  if (text === '') throw new RangeError(`${path} is empty`);
  if (text.includes('\0')) throw new RangeError(`${path} contains a NUL byte: write the file anew as text`);
  return text;
}

function describeInstead(content: Buffer): string {
  const description = describeContent(content);
  return description === undefined ? '' : `: it ${description}`;
}

function readContent(path: string): Buffer {
  try {
    requirePrivate(path, statSync(path));
    return readBoundedFile(path, MAX_MEBIBYTES);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    if (error instanceof FileContentError) throw new RangeError(`${path} ${error.message}, and not a secret`);
    throw new RangeError(`${path} cannot be read: ${fileErrorReason(error)}`);
  }
}

/** Its group may read it: Kubernetes mounts a secret with mode 0640 if the pod has an `fsGroup`. */
function requirePrivate(path: string, stats: Stats): void {
  if (!stats.isFile()) throw new RangeError(`${path} is not a file`);
  if ((stats.mode & READABLE_BY_OTHERS) !== 0) {
    throw new RangeError(`${path} is readable by every user: run chmod 600 (in Kubernetes, set defaultMode: 0400)`);
  }
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) throw new RangeError(`${path} is writable by every user: run chmod 600`);
  const folder = dirname(path);
  // In a folder with the sticky bit, such as /tmp, only owners replace files.
  const { mode } = statSync(folder);
  if ((mode & WRITABLE_BY_OTHERS) === 0 || (mode & STICKY) !== 0) return;
  throw new RangeError(`${path} can be replaced by every user: run chmod o-w ${folder}`);
}
