import { constants, createWriteStream, openSync, type Stats, statSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileErrorReason } from '../../errors/file-error.ts';
import { ConfigurationError, OperatorError } from '../../errors/operator-error.ts';
import { writeTexts } from '../output/document.ts';
import { replaceFile } from './replace-file.ts';

/** `--out` and `--force` of a command. */
export interface OutputFileOptions {
  /** The file to write. Default, and `-`: standard output. */
  readonly out?: string;
  /** Whether an existing file is overwritten. */
  readonly force?: boolean;
}

/** Linux has these names for standard output, whatever it is connected to. */
const standardOutput = ['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'];

/**
 * Checks that the file can be written before anything is read.
 *
 * @returns the path; undefined for standard output
 * @throws {OperatorError} when a regular file exists and `force` is not set
 */
export function resolveOutputFile({ out, force = false }: OutputFileOptions): string | undefined {
  if (out === undefined || standardOutput.includes(out)) return undefined;
  if (out === '') throw new ConfigurationError(['--out is empty: expected the path of a file']);
  if (isRegularFile(out) && !force) throw new OperatorError([`${out} already exists; --force overwrites it`]);
  return out;
}

/** Devices such as `/dev/null` lose nothing when they are written to. */
function isRegularFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch (error) {
    throw outputError(path, error);
  }
}

/**
 * Writes a file completely, or leaves it as it was. Devices and pipes are written to directly.
 *
 * @throws {OperatorError} when it cannot be written
 */
export async function writeOutputFile(path: string, texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  try {
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing && !existing.isFile()) await writeTo(await openSpecialFile(path, existing), texts);
    else await replaceFile(path, existing, (stream) => writeTo(stream, texts));
  } catch (error) {
    throw outputError(path, error);
  }
}

async function writeTo(stream: Writable, texts: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const written = finished(stream);
  await Promise.race([writeTexts(texts, stream), written]);
  stream.end();
  await written;
}

const ATTEMPT_MILLISECONDS = 50;

/** Opens a device, or a pipe as soon as it has a reader. */
async function openSpecialFile(path: string, stats: Stats): Promise<Writable> {
  if (!stats.isFIFO()) return createWriteStream(path);
  // A thread blocked in open() would keep the process alive, even after Ctrl-C.
  for (;;) {
    try {
      return new Socket({ fd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), readable: false });
    } catch (error) {
      if (!hasNoReader(error)) throw error;
      await delay(ATTEMPT_MILLISECONDS);
    }
  }
}

function hasNoReader(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENXIO';
}

/** Errors of the file system are for the operator; other errors are returned unchanged. */
function outputError(path: string, error: unknown): unknown {
  const isFileError = error instanceof Error && 'syscall' in error;
  return isFileError ? new OperatorError([`${path} cannot be written: ${fileErrorReason(error)}`]) : error;
}
