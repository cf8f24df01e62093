import { constants, createWriteStream, openSync, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

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
