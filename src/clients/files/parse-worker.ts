import { parentPort, workerData } from 'node:worker_threads';
import { ClientsFileError, type FileRecord, parseRecords } from './parse-records.ts';

/** A file of records that is not JSON Lines. */
export interface ParseRequest {
  readonly path: string;
  readonly text: string;
}

export type ParseResponse =
  | { readonly ok: true; readonly records: readonly FileRecord[] }
  | { readonly ok: false; readonly message: string };

const { path, text }: ParseRequest = workerData;
try {
  parentPort?.postMessage({ ok: true, records: parseRecords(path, text) } satisfies ParseResponse);
} catch (error) {
  parentPort?.postMessage({ ok: false, message: explain(error) } satisfies ParseResponse);
}

function explain(error: unknown): string {
  if (error instanceof ClientsFileError) return error.message;
  // What is handed over must fit on a stack.
  if (error instanceof RangeError) return 'is nested too deeply';
  return String(error);
}
