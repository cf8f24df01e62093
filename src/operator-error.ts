/** Why a command does not start: every fault, each with the setting or file that it is about, and the mend. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}
