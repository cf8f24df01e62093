import { readFileSync, statSync } from 'node:fs';
import { fileErrorReason } from '../file-error.ts';

const READABLE_BY_OTHERS = 0o004;

/**
 * Reads a file that contains a secret, without the white space around it.
 *
 * @throws {RangeError} if it cannot be read, is not a file, is empty, or is readable by every user
 */
export function readSecretFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new RangeError(`${path} does not exist`);
  if (!stats.isFile()) throw new RangeError(`${path} is not a file`);
  if (stats.mode & READABLE_BY_OTHERS) {
    throw new RangeError(`${path} is readable by every user: run chmod 600 (in Kubernetes, set defaultMode: 0400)`);
  }
  const text = readText(path).trim();
  if (text === '') throw new RangeError(`${path} is empty`);
  return text;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new RangeError(`${path} cannot be read: ${fileErrorReason(error)}`);
  }
}
