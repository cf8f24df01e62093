/**
 * Why a file cannot be read or written, as the predicate of a sentence about the file or as the text of the operating
 * system. Node adds the code and the path (`ENOENT: …, open 'clients.yaml'`), which are removed because messages start
 * with the name of the file.
 */
export function fileErrorReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The system's text is "illegal operation on a directory".
  if ('code' in error && error.code === 'EISDIR') return 'it is a folder, not a file';
  return error.message
    .replace(/^E[A-Z0-9]+: (.*?), \w+(?: '.*')?$/s, '$1')
    .replace(/^(?:listen|bind|connect) E[A-Z0-9]+: ([^:]+).*$/s, '$1');
}
