/** Why a command does not start: every fault, each with the setting or file that it is about, and the mend. */
export class OperatorError extends Error {
  override readonly name = 'StartupError';
  readonly problems: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.problems = faults;
  }
}
