/** How long a request waits, whatever it waits for. */
const MAX_MILLISECONDS = 500;
const MAX_REQUESTS = 100;
/** Each of them is in flight meanwhile, and must not keep its place from those that are answered at once. */
const SHARE_OF_REQUESTS_IN_FLIGHT = 0.1;

/** Requests that are rejected unless something else ends their time before. All wait for equally long. */
export class WaitingRoom {
  readonly #max: number;
  /** Ends the time of each request. The first one has waited for longest. */
  readonly #waiting = new Set<() => void>();

  /** @param maxRequestsInFlight of all requests together */
  constructor(maxRequestsInFlight = Number.POSITIVE_INFINITY) {
    const share = Math.floor(SHARE_OF_REQUESTS_IN_FLIGHT * maxRequestsInFlight);
    this.#max = Math.min(Math.max(share, 1), MAX_REQUESTS);
  }

  /**
   * @param onTimeout called after half a second, or as soon as too many others wait that came later
   * @returns a function with which the request leaves before that
   */
  enter(onTimeout: () => void): () => void {
    const leave = () => {
      clearTimeout(timer);
      this.#waiting.delete(end);
    };
    const end = () => {
      leave();
      onTimeout();
    };
    const timer = setTimeout(end, MAX_MILLISECONDS);
    this.#waiting.add(end);
    const [longest] = this.#waiting;
    if (this.#waiting.size > this.#max) longest?.();
    return leave;
  }
}
