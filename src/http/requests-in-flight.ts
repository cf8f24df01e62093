/** Counts the requests that were received and are not answered, for all listeners that share a limit. */
export class RequestsInFlight {
  /** Without those that are shed. */
  count = 0;
  /** Each listener also receives no more bodies at once. */
  readonly max: number;

  constructor(max = Number.POSITIVE_INFINITY) {
    this.max = max;
  }

  get isFull(): boolean {
    return this.count >= this.max;
  }
}
