/** A file does not contain what is read from it. The message is a predicate of the file, with the fix. */
export class FileContentError extends Error {
  override readonly name = 'FileContentError';
}
