/** Why a command cannot run or complete: every problem, each with its setting or file and the fix. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}
