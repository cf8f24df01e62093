/** Why a command cannot run or complete: every problem, each with its setting or file and the fix. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** A command line or a setting is invalid, or a file that a setting names cannot be used. */
export class ConfigurationError extends OperatorError {
  override readonly name = 'ConfigurationError';
}

/** One error with the problems of all, each once. It is one of the configuration if any of them is. */
export function combined(errors: readonly OperatorError[]): OperatorError {
  const problems = [...new Set(errors.flatMap((error) => error.problems))];
  const isOfConfiguration = errors.some((error) => error instanceof ConfigurationError);
  return isOfConfiguration ? new ConfigurationError(problems) : new OperatorError(problems);
}
