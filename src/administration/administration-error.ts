import { OperatorError } from '../errors/operator-error.ts';

/** Why a plan cannot be made, or why not every change was written. */
export class AdministrationError extends OperatorError {
  override readonly name = 'AdministrationError';
  /** Redis sent an error reply: the same command fails again until its cause is fixed. */
  readonly isErrorReply: boolean;

  constructor(problems: readonly string[], { isErrorReply = false } = {}) {
    super(problems);
    this.isErrorReply = isErrorReply;
  }
}
