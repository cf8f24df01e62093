/** Counts the requests whose response is unfinished, for all listeners that share a limit. */
export class RequestsInFlight {
  /** Without those that are shed. */
  count = 0;
  readonly max: number;

  constructor(max = Number.POSITIVE_INFINITY) {
    this.max = max;
  }

  get isExceeded(): boolean {
    return this.count > this.max;
  }
}
