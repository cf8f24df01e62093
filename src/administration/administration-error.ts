/** Why nothing could be planned, or not everything written. Each message names the thing, the location and the mend. */
export class AdministrationError extends Error {
  override readonly name = 'AdministrationError';
  readonly problems: readonly string[];
  /** Redis answered, and said no: it will say so again until that is mended. */
  readonly isErrorReply: boolean;

  constructor(messages: readonly string[], { isRefusal = false } = {}) {
    super(messages.join('\n'));
    this.problems = messages;
    this.isErrorReply = isRefusal;
  }
}
