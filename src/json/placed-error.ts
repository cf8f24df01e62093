/** A text is not what it is taken for, or would be read as something else than what its author wrote. */
export class PlacedError extends Error {
  override readonly name = 'PlacedError';
  /** Of the text, counted from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}
