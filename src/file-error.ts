/**
 * Why a file cannot be read, as the predicate of a sentence about the file or as the message of Node. Node appends the
 * path (`…, open 'clients.yaml'`), which is removed because messages start with the name of the file.
 */
export function fileErrorReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not valid UTF-8';
  return error.message.replace(/, \w+ '.*'$/s, '');
}
