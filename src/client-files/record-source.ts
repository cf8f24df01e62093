import { constants, createReadStream, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { STANDARD_INPUT } from './find-files.ts';

const READ_OCTETS = 262_144;

/** Whether it comes once, and so cannot change while it is read: standard input, and a pipe that has a name. */
export function isOnce(file: string): boolean {
  return file === STANDARD_INPUT || isPipe(file);
}

/**
 * The octets of a file, a pipe or the standard input.
 *
 * @throws where it cannot be opened; of a file, the stream does
 */
export function openSource(file: string): Readable {
  if (file === STANDARD_INPUT) return process.stdin;
  if (!isPipe(file)) return createReadStream(file, { highWaterMark: READ_OCTETS });
  // A thread that waits for somebody to write would keep the process from ending, also after Ctrl-C.
  return new Socket({ fd: openSync(file, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
}

function isPipe(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFIFO() === true;
}
