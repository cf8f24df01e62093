import { Worker } from 'node:worker_threads';
import { ClientsFileError, type FileRecord, parseRecords } from './parse-records.ts';
import type { ParseRequest, ParseResponse } from './parse-worker.ts';

/** What is shorter takes no time that anybody would notice, and less than it takes to begin a thread. */
const ASIDE_CHARACTERS = 16_384;

/**
 * The same as {@link parseRecords}, a long text in a thread of its own: YAML takes a second for some megabytes, and can be
 * written so that it takes hours. Meanwhile others are served, and whoever waits may give up.
 *
 * @throws {ClientsFileError}
 * @throws the signal's reason, when it says so
 */
export async function parseInWorker(path: string, text: string, signal?: AbortSignal): Promise<readonly FileRecord[]> {
  signal?.throwIfAborted();
  if (text.length <= ASIDE_CHARACTERS) return parseRecords(path, text);
  const parsed = await askWorker({ path, text }, signal);
  if (parsed.ok) return parsed.records;
  throw new ClientsFileError(path, parsed.message);
}

async function askWorker(toParse: ParseRequest, signal: AbortSignal | undefined): Promise<ParseResponse> {
  const worker = new Worker(new URL('parse-worker.ts', import.meta.url), { workerData: toParse });
  const { promise, resolve, reject } = Promise.withResolvers<ParseResponse>();
  const giveUp = () => reject(signal?.reason);
  worker.once('message', resolve).once('error', reject);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', giveUp);
    await worker.terminate();
  }
}
