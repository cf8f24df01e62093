/** Why nothing could be planned, or not everything written. Each message names the thing, the place and the mend. */
export class AdministrationError extends Error {
  override readonly name = 'AdministrationError';
  readonly messages: readonly string[];

  constructor(messages: readonly string[]) {
    super(messages.join('\n'));
    this.messages = messages;
  }
}
