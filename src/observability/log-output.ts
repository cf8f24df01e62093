import { writeSync } from 'node:fs';
import { fileErrorReason } from '../errors/file-error.ts';

/**
 * Longer batches are written before the turn ends: their memory is bounded, and during an overload, when a turn is long,
 * responses do not wait for its end. In UTF-16 code units.
 */
const MAX_BATCH_LENGTH = 64 * 1024;
/** How often an output that fails is tried again while nothing is logged. */
const RETRY_MILLISECONDS = 1_000;
/** How long to wait before a full pipe is tried again, if its writes do not block. */
const FULL_PIPE_MILLISECONDS = 5;

export interface LogOutputOptions {
  /** Writes at least one of the bytes, and returns how many. Default: to standard output. */
  readonly write?: (bytes: Uint8Array) => number;
  /** What is written, for messages. Default: `the log`. */
  readonly name?: string;
  /** The line that is written when the output can be written again. */
  readonly restoredLine: (reason: string, lostLines: number) => string;
  /** Called when writing begins to fail. */
  readonly onOutage: (problem: string) => void;
}

/** Since when writing has failed, it has failed each time. */
interface Outage {
  readonly reason: string;
  /** Whether the last byte that was written is not the end of a line. */
  readonly isLineCut: boolean;
}

/** Lines that are written together: those of one turn of the event loop, unless they are many. */
interface Batch {
  readonly written: PromiseWithResolvers<boolean>;
  isComplete: boolean;
}

/**
 * Writes the lines of a log in their order, and those of one turn of the event loop with one system call. Writing is
 * synchronous: the process waits for a slow disk or reader, and what is written survives the end of the process. Lines
 * that cannot be written are lost. They are counted, and reported as soon as the output can be written again.
 */
export class LogOutput {
  readonly #options: LogOutputOptions;
  readonly #write: (bytes: Uint8Array) => number;
  #pending = '';
  #batch: Batch | undefined;
  #outage: Outage | undefined;
  #retry: NodeJS.Timeout | undefined;
  #lostLines = 0;

  constructor(options: LogOutputOptions) {
    this.#options = options;
    this.#write = options.write ?? ((bytes) => writeSync(1, bytes));
  }

  /** Why nothing can be written; undefined if it can. */
  get problem(): string | undefined {
    return this.#outage && this.#describe(this.#outage.reason);
  }

  /** How many lines were lost since the start. */
  get lostLines(): number {
    return this.#lostLines;
  }

  /** @param line ends with a newline, which is its only one */
  append(line: string): void {
    this.#pending += line;
    this.#batch ??= this.#startBatch();
    if (this.#pending.length > MAX_BATCH_LENGTH) this.#endBatch(this.#batch);
  }

  /** Resolves when all lines so far have been written: to false if one of the last ones is lost. */
  written(): Promise<boolean> {
    return this.#batch?.written.promise ?? Promise.resolve(this.#outage === undefined);
  }

  /** Writes the pending lines now: for the end of the process. */
  flush(): void {
    const lines = Buffer.from(this.#pending);
    this.#pending = '';
    const lost = this.#endOutage() ? this.#writeAll(lines) : lines;
    if (lost.length === 0) return;
    this.#lostLines += lost.reduce((count, byte) => count + Number(byte === NEWLINE), 0);
    if (this.#batch) this.#batch.isComplete = false;
  }

  /**
   * Opens another file to write to, after the pending lines were written to the one so far.
   *
   * @param open throws if that fails; the output then cannot be written until `write` succeeds
   */
  reopen(open: () => void): void {
    this.flush();
    try {
      open();
    } catch (error) {
      this.#continueOutage({ reason: fileErrorReason(error), isLineCut: false });
      return;
    }
    if (this.#outage) this.#outage = { ...this.#outage, isLineCut: false };
    this.#endOutage();
  }

  #describe(reason: string): string {
    const { name = 'the log' } = this.#options;
    return `${name} cannot be written: ${reason}`;
  }

  #startBatch(): Batch {
    const batch = { written: Promise.withResolvers<boolean>(), isComplete: true };
    setImmediate(() => {
      if (this.#batch === batch) this.#endBatch(batch);
    });
    return batch;
  }

  #endBatch(batch: Batch): void {
    this.flush();
    this.#batch = undefined;
    batch.written.resolve(batch.isComplete);
  }

  /** @returns the bytes that could not be written */
  #writeAll(bytes: Uint8Array): Uint8Array {
    let written = 0;
    try {
      while (written < bytes.length) written += waitWhileFull(() => this.#write(bytes.subarray(written)));
    } catch (error) {
      const isLineCut = written > 0 ? bytes[written - 1] !== NEWLINE : this.#outage?.isLineCut === true;
      this.#continueOutage({ reason: fileErrorReason(error), isLineCut });
    }
    return bytes.subarray(written);
  }

  #continueOutage(outage: Outage): void {
    if (!this.#outage) this.#options.onOutage(this.#describe(outage.reason));
    this.#outage = outage;
    this.#retry ??= setInterval(() => this.#endOutage(), RETRY_MILLISECONDS).unref();
  }

  /** @returns whether the output can be written, as far as is known */
  #endOutage(): boolean {
    if (!this.#outage) return true;
    const { reason, isLineCut } = this.#outage;
    const line = this.#options.restoredLine(reason, this.#lostLines);
    if (this.#writeAll(Buffer.from(isLineCut ? `\n${line}` : line)).length > 0) return false;
    this.#outage = undefined;
    clearInterval(this.#retry);
    this.#retry = undefined;
    return true;
  }
}

const NEWLINE = 0x0a;

/** A pipe that blocks waits by itself. Waiting like this makes the others behave alike. */
function waitWhileFull(write: () => number): number {
  for (;;) {
    try {
      return write();
    } catch (error) {
      // Node's file system functions throw errors of the system, which have a code.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_MILLISECONDS);
    }
  }
}
