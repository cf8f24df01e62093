/** Runs loads one after the other. A reload that has not begun is that of every caller, since it will find what is there then. */
export class ReloadQueue<Result> {
  readonly #load: () => Promise<Result>;
  #last: Promise<unknown> = Promise.resolve();
  #next: Promise<Result> | undefined;

  /** @param load must not reject, and neither must what is added: nothing would follow */
  constructor(load: () => Promise<Result>) {
    this.#load = load;
  }

  /** Resolves when every load so far has ended. */
  get last(): Promise<unknown> {
    return this.#last;
  }

  /** Joins the reload that has not begun, or adds one. */
  reload(): Promise<Result> {
    this.#next ??= this.add(() => {
      this.#next = undefined;
      return this.#load();
    });
    return this.#next;
  }

  /** Runs another load after the last one. */
  add<Other>(load: () => Promise<Other>): Promise<Other> {
    const result = this.#last.then(load);
    this.#last = result;
    return result;
  }
}
