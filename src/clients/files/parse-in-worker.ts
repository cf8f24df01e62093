import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ClientsFileError, type FileContent, parseRecords } from './parse-records.ts';
import type { ParseRequest, ParseResponse } from './parse-worker.ts';

/** Parsing a shorter text takes less time than starting a thread. */
const MIN_WORKER_CHARACTERS = 16_384;

/**
 * Like {@link parseRecords}, but parses a long text in a worker thread. YAML takes a second for a few megabytes, and a
 * hostile file takes hours. Meanwhile requests are served, and the caller can abort.
 *
 * @throws {ClientsFileError}
 * @throws the reason of the signal
 */
export async function parseInWorker(path: string, text: string, signal?: AbortSignal): Promise<FileContent> {
  signal?.throwIfAborted();
  if (text.length <= MIN_WORKER_CHARACTERS) return parseRecords(path, text);
  const response = await runWorker({ path, text }, signal);
  if (response.ok) return response.content;
  throw new ClientsFileError(path, response.message, response.position);
}

/** It is next to this file, in the source as well as in the build. */
const workerFile = new URL(`parse-worker${extname(import.meta.url)}`, import.meta.url);

async function runWorker(request: ParseRequest, signal: AbortSignal | undefined): Promise<ParseResponse> {
  const worker = new Worker(workerFile, { workerData: request });
  const { promise, resolve, reject } = Promise.withResolvers<ParseResponse>();
  const abort = () => reject(signal?.reason);
  worker.once('message', resolve).once('error', reject);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}
