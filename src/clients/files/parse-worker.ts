import { parentPort, workerData } from 'node:worker_threads';
import { ClientsFileError, type FileContent, parseRecords } from './parse-records.ts';

/** A clients file that is not JSON Lines. */
export interface ParseRequest {
  readonly path: string;
  readonly text: string;
}

export type ParseResponse =
  | { readonly ok: true; readonly content: FileContent }
  | { readonly ok: false; readonly message: string };

const { path, text }: ParseRequest = workerData;
try {
  parentPort?.postMessage({ ok: true, content: parseRecords(path, text) } satisfies ParseResponse);
} catch (error) {
  parentPort?.postMessage({ ok: false, message: describeError(error) } satisfies ParseResponse);
}

function describeError(error: unknown): string {
  if (error instanceof ClientsFileError) return error.message;
  // The structured clone of a message recurses, too.
  if (error instanceof RangeError) return 'is nested too deeply';
  return String(error);
}
