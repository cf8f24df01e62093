import { parentPort, workerData } from 'node:worker_threads';
import type { Position } from '../position.ts';
import { ClientsFileError, type FileContent, parseRecords } from './parse-records.ts';

/** A clients file that is not JSON Lines. */
export interface ParseRequest {
  readonly path: string;
  readonly text: string;
}

export type ParseResponse =
  | { readonly ok: true; readonly content: FileContent }
  | { readonly ok: false; readonly message: string; readonly position?: Position | undefined };

const { path, text }: ParseRequest = workerData;
try {
  parentPort?.postMessage({ ok: true, content: parseRecords(path, text) } satisfies ParseResponse);
} catch (error) {
  parentPort?.postMessage({ ok: false, ...describeError(error) } satisfies ParseResponse);
}

function describeError(
  error: unknown,
): Pick<ClientsFileError, 'message'> & { readonly position?: Position | undefined } {
  if (error instanceof ClientsFileError) return { message: error.message, position: error.position };
  // The structured clone of a message recurses, too.
  if (error instanceof RangeError) return { message: 'is nested too deeply' };
  return { message: String(error) };
}
