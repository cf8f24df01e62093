import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

/** Database File Format §1.3. */
const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
const HEADER_BYTES = 100;
const READ_VERSION_OFFSET = 19;
const WAL = 2;

/** Whether content begins like a SQLite database. */
export function isSqlite(content: Uint8Array): boolean {
  return MAGIC.equals(content.subarray(0, MAGIC.length));
}

/** Whether a path names a SQLite database. False for what cannot be read, and for pipes, which cannot be read twice. */
export function isSqliteFile(path: string): boolean {
  try {
    return statSync(path).isFile() && isSqlite(readHeader(path));
  } catch {
    return false;
  }
}

/**
 * Whether nothing but the file itself has the data of a database in WAL mode. Then no program has it open, and it can be
 * read as it is; otherwise SQLite makes two files beside it.
 */
export function isCheckpointed(path: string): boolean {
  return readHeader(path)[READ_VERSION_OFFSET] === WAL && !existsSync(`${path}-wal`);
}

function readHeader(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
