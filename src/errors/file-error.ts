import { readlinkSync } from 'node:fs';

/**
 * Why a file cannot be read or written, as the predicate of a sentence about the file or as the text of the operating
 * system. Node adds the code and the path (`ENOENT: …, open 'clients.yaml'`), which are removed because messages start
 * with the name of the file.
 */
export function fileErrorReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path }: NodeJS.ErrnoException = error;
  // The system's text is "illegal operation on a directory".
  if (code === 'EISDIR') return 'it is a folder, not a file';
  // "No such device or address".
  if (code === 'ENXIO') return 'it is a socket, or a pipe without a reader';
  const target = code === 'ENOENT' && path !== undefined ? linkTarget(path) : undefined;
  if (target !== undefined) return `it is a link to ${target}, which does not exist`;
  return error.message
    .replace(/^E[A-Z0-9]+: (.*?), \w+(?: '.*')?$/s, '$1')
    .replace(/^(?:listen|bind|connect) E[A-Z0-9]+: ([^:]+).*$/s, '$1');
}

/** Undefined if the path is not a link. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
