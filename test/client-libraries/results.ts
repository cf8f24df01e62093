/** What a program printed about one step of one library: one JSON object a line. */
export interface Result {
  readonly library: string;
  /** The name of the scenario. */
  readonly scenario: string;
  /** `discovery`, `verification`, or the client authentication method of a token request. */
  readonly step: string;
  /** Why it failed; absent if it worked. */
  readonly error?: string;
}

export function parseResults(output: string): Result[] {
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  // Safe: the programs are ours, and every line is an object of this shape.
  return lines.map((line) => JSON.parse(line) as Result);
}

/** Runs a step of a library whose failure is a result. */
export async function resultOf(step: Omit<Result, 'error'>, action: () => Promise<unknown>): Promise<Result> {
  try {
    await action();
    return step;
  } catch (error) {
    return { ...step, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}
