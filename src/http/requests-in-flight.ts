/** Counts the requests whose response is unfinished, for all listeners that share a limit. */
export class RequestsInFlight {
  /** Including those that are rejected, until their response is sent. */
  count = 0;
  readonly max: number;

  constructor(max = Number.POSITIVE_INFINITY) {
    this.max = max;
  }

  get isExceeded(): boolean {
    return this.count > this.max;
  }
}
