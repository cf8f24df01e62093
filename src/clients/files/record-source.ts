import { constants, createReadStream, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileErrorReason } from '../../errors/file-error.ts';
import { Utf8Decoder } from '../../files/utf8-decoder.ts';
import { STANDARD_INPUT } from './find-files.ts';
import { ClientsFileError } from './parse-records.ts';

/**
 * Reads the text of a file, a pipe, or standard input in chunks.
 *
 * @param name the file as messages call it
 * @throws {ClientsFileError} if it cannot be read or is not UTF-8
 */
export async function* readText(file: string, name: string): AsyncGenerator<string> {
  const decoder = new Utf8Decoder();
  try {
    for await (const chunk of openSource(file)) yield decoder.decode(chunk);
    yield decoder.end();
  } catch (error) {
    throw new ClientsFileError(name, fileErrorReason(error));
  }
}

/** Whether the source can be read only once, and so cannot change meanwhile: standard input or a named pipe. */
export function isStream(file: string): boolean {
  return file === STANDARD_INPUT || isPipe(file);
}

const READ_BYTES = 262_144;

function openSource(file: string): Readable {
  if (file === STANDARD_INPUT) return process.stdin;
  if (!isPipe(file)) return createReadStream(file, { highWaterMark: READ_BYTES });
  // A blocking open waits in a thread for a writer, and would keep the process from exiting, even after Ctrl-C.
  return new Socket({ fd: openSync(file, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
}

/** A file that cannot be accessed is reported when it is read. */
function isPipe(file: string): boolean {
  try {
    return statSync(file).isFIFO();
  } catch {
    return false;
  }
}
