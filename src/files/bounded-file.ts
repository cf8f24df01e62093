import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { FileContentError } from './file-content-error.ts';

/** Of a file of certificates or keys: the CA certificates of all browsers together have less than 1 MiB. */
export const MAX_CERTIFICATE_MEBIBYTES = 16;

const MEBIBYTE = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** What a shell passes for `<(…)` and `-`, which is read to its end by a command. */
const SHELL_PIPE = /^\/(?:dev\/(?:fd\/\d+|stdin)|proc\/self\/fd\/\d+)$/;

/**
 * Reads a file that is small enough to be read while requests wait. Files of procfs state the size 0 and may be endless,
 * and a named pipe waits for its writer.
 *
 * @throws {FileContentError} a predicate, if it is larger or not a file
 * @throws the error of the operating system
 */
export function readBoundedFile(path: string, maxMebibytes: number): Buffer {
  const isPipe = SHELL_PIPE.test(path);
  const file = openSync(path, isPipe ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!isPipe && (stats.isFIFO() || stats.isCharacterDevice())) throw new FileContentError('is not a regular file');
    requireSize(stats.size, maxMebibytes);
    const chunks: Buffer[] = [];
    for (let length = 0; ; ) {
      const chunk = Buffer.alloc(Math.max(CHUNK_BYTES, Math.min(stats.size, MEBIBYTE)));
      const read = readSync(file, chunk);
      if (read === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, read));
      length += read;
      requireSize(length, maxMebibytes);
    }
  } finally {
    closeSync(file);
  }
}

function requireSize(bytes: number, maxMebibytes: number): void {
  if (bytes > maxMebibytes * MEBIBYTE) throw new FileContentError(`is larger than ${maxMebibytes} MiB`);
}
