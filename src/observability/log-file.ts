import { closeSync, constants, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';

/** The owner reads and writes, the group reads; less what the umask removes. */
const MODE = 0o640;
/** Opening a FIFO without a reader fails, where it would otherwise wait for one. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** A file to which whole lines are appended, and which programs such as logrotate move or truncate. */
export class LogFile {
  readonly #path: string;
  /** Undefined after it could not be opened: what was rotated away must not receive further lines. */
  #descriptor: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Opens the file, or a new one at its path. @throws {Error} of the system */
  open(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#descriptor = openForLines(this.#path);
  }

  /** Appends some of the bytes, and returns how many. Opens the file if it is not open. @throws {Error} of the system */
  write(bytes: Uint8Array): number {
    if (this.#descriptor === undefined) this.open();
    // `open` has set it, or thrown.
    return writeSync(this.#descriptor as number, bytes);
  }

  /** Whether its path names another file by now, or none. */
  isMoved(): boolean {
    if (this.#descriptor === undefined) return false;
    const { dev, ino } = fstatSync(this.#descriptor);
    try {
      const current = statSync(this.#path);
      return current.dev !== dev || current.ino !== ino;
    } catch (error) {
      // Node's file system functions throw errors of the system, which have a code.
      return ['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code));
    }
  }
}

/** A process that was killed, or a full disk, may have left a part of a line at the end. */
function openForLines(path: string): number {
  const descriptor = openSync(path, FLAGS, MODE);
  try {
    const file = fstatSync(descriptor);
    if (file.isFile() && !endsWithLine(path, file.size)) writeSync(descriptor, '\n');
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

const NEWLINE = 0x0a;

function endsWithLine(path: string, size: number): boolean {
  if (size === 0) return true;
  const reader = openSync(path, constants.O_RDONLY);
  try {
    const last = Buffer.alloc(1);
    return readSync(reader, last, 0, 1, size - 1) === 0 || last[0] === NEWLINE;
  } finally {
    closeSync(reader);
  }
}
