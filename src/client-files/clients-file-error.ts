/** A file, or a line of it, cannot be read. */
export class ClientsFileError extends Error {
  override readonly name = 'ClientsFileError';
  /** By which messages call it. */
  readonly file: string;

  /** @param message what is wrong, without the name of the file */
  constructor(file: string, message: string) {
    super(message);
    this.file = file;
  }
}
