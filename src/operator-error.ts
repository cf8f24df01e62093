/** Why a command cannot run or complete: every problem, each with its setting or file and the fix. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** The server cannot start with its configuration: its settings, or a file that they name. */
export class ConfigurationError extends OperatorError {
  override readonly name = 'ConfigurationError';
}
