/** The first messages of many, and how many there were. */
export class BoundedList {
  readonly #first: string[] = [];
  readonly #limit: number;
  count = 0;

  constructor(limit = 50) {
    this.#limit = limit;
  }

  add(...messages: readonly string[]): void {
    this.count += messages.length;
    this.#first.push(...messages.slice(0, Math.max(0, this.#limit - this.#first.length)));
  }

  /** With a last line that says how many are not told. */
  lines(): string[] {
    const untold = this.count - this.#first.length;
    return untold === 0 ? [...this.#first] : [...this.#first, `… and ${untold} more`];
  }
}
