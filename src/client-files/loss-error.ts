/** A text would be read as something else than what its author wrote. */
export class LossError extends Error {
  override readonly name = 'LossError';
  /** Of the text, counted from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}
