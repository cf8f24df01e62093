import { isErrorReply } from './reply-shapes.ts';

/** Probes a connection with PING: TCP does not report an end that was lost on the way. */
export interface Heartbeat {
  /**
   * When the last answered PING was sent, by `performance.now()`; -Infinity while stopped. Whatever the server sent before
   * that has arrived, since a connection preserves order.
   */
  readonly lastProbeAt: number;
  /** Starts on a new connection, which counts as probed now, with a PING. */
  start(): void;
  /** Sends a PING now if it is needed and none is due soon. */
  hasten(): void;
  /** Calls `onSilent` if two PINGs are unanswered. */
  endIfUnanswered(): void;
  /** Stops probing; no earlier probe counts any more. */
  stop(): void;
}

interface HeartbeatOptions {
  readonly redis: { ping(): Promise<unknown> };
  /** Called when the server has not replied to PING for 560 ms, or for 2 s on a new connection. */
  readonly onSilent: () => void;
  /** Whether a reply to PING proves that the connection serves its purpose. Default: any reply does, also an error. */
  readonly isValidReply?: (reply: unknown) => boolean;
  /** Milliseconds between PINGs that are answered in time. Default: 280. */
  readonly interval?: number;
  /** Whether to send a PING every 140 ms. Asked at each beat, and by `hasten`. Default: never. */
  readonly isNeeded?: () => boolean;
  /** Called at each beat with whether a reply is overdue. */
  readonly onBeat?: (isOverdue: boolean) => void;
}

/**
 * A connection that is cut off behind a reply is dropped 840 ms after the PING of that reply was sent: the next one is sent
 * after 280 ms. If that is not answered when the one behind it is due, 280 ms later, the others follow after 140 ms each. A
 * new connection is made 20 ms later. A change that is not announced on the old one is therefore in force within a second.
 *
 * A missing reply is not noticed earlier, so that an idle process wakes up only to send a PING and to receive its reply.
 */
const INTERVAL_MILLISECONDS = 280;
/** While a reply is overdue. */
export const OVERDUE_MILLISECONDS = 140;
/**
 * Between the beats, from the first PING without a reply. Their planned times are added: a process that was suspended has
 * waited for no reply.
 */
const MAX_SILENCE_MILLISECONDS = 560;
/** Until the first reply on a connection: a distant Redis is late once, and then replies at each interval. */
const MAX_SILENCE_AT_FIRST_MILLISECONDS = 1_960;
/** Enough for a connection that is suspected together with another one that is dropped. */
const MAX_UNANSWERED_IF_SUSPECTED = 2;

export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  return new PingHeartbeat(options);
}

class PingHeartbeat implements Heartbeat {
  lastProbeAt = Number.NEGATIVE_INFINITY;
  readonly #options: HeartbeatOptions;
  readonly #interval: number;
  /** Undefined while stopped. Replies on an earlier connection do not count. */
  #connection: object | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextBeatAt = 0;
  #sentAt = 0;
  /** Milliseconds from the beat before to the next one. */
  #delay = 0;
  /** PINGs since the last reply, and those whose reply may still arrive. */
  #unanswered = 0;
  #inFlight = 0;
  #silence = 0;
  #maxSilence = MAX_SILENCE_AT_FIRST_MILLISECONDS;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#interval = options.interval ?? INTERVAL_MILLISECONDS;
  }

  start(): void {
    this.stop();
    this.#connection = {};
    [this.#unanswered, this.#inFlight, this.#silence] = [0, 0, 0];
    this.#maxSilence = MAX_SILENCE_AT_FIRST_MILLISECONDS;
    this.lastProbeAt = performance.now();
    // Once it is answered, the connection is dropped as soon as any other one.
    this.#probe();
    this.#schedule(INTERVAL_MILLISECONDS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#connection = undefined;
    this.lastProbeAt = Number.NEGATIVE_INFINITY;
  }

  hasten(): void {
    const isDue = this.#nextBeatAt - performance.now() < OVERDUE_MILLISECONDS;
    if (!this.#connection || this.#isOverdue() || isDue || !this.#options.isNeeded?.()) return;
    clearTimeout(this.#timer);
    this.#beat();
  }

  endIfUnanswered(): void {
    this.#endUnless(() => this.#unanswered < MAX_UNANSWERED_IF_SUSPECTED);
  }

  /** A reply that has arrived counts even if this process was too busy to read it: I/O follows the timers, and precedes this. */
  #endUnless(isAlive: () => boolean): void {
    const connection = this.#connection;
    setImmediate(() => {
      if (connection && this.#connection === connection && !isAlive()) this.#options.onSilent();
    });
  }

  #schedule(delay: number): void {
    this.#delay = delay;
    this.#nextBeatAt = performance.now() + delay;
    this.#timer = setTimeout(this.#beat, delay).unref();
  }

  readonly #beat = (): void => {
    const isOverdue = this.#isOverdue();
    if (this.#unanswered > 0) this.#silence += this.#delay;
    this.#options.onBeat?.(isOverdue);
    const isUrgent = isOverdue || this.#options.isNeeded?.() === true;
    const untilDue = this.#sentAt + this.#interval - performance.now();
    // A timer may fire a little early.
    const isDue = isUrgent || untilDue < OVERDUE_MILLISECONDS;
    if (this.#isSilent()) this.#endUnless(() => !this.#isSilent());
    else if (isDue) this.#probe();
    if (isUrgent) this.#schedule(OVERDUE_MILLISECONDS);
    else this.#schedule(isDue ? INTERVAL_MILLISECONDS : untilDue);
  };

  #isOverdue(): boolean {
    return this.#inFlight > 0 || this.#unanswered > 0;
  }

  #isSilent(): boolean {
    return this.#unanswered > 0 && this.#silence >= this.#maxSilence;
  }

  #probe(): void {
    const [connection, sentAt] = [this.#connection, performance.now()];
    this.#sentAt = sentAt;
    this.#unanswered += 1;
    this.#inFlight += 1;
    const onReply = (reply: unknown) => {
      if (this.#connection === connection) this.#onReply(reply, sentAt);
    };
    this.#options.redis.ping().then(onReply, (error: unknown) => {
      // Otherwise either the connection emits its end, or the next probes stay unanswered.
      if (isErrorReply(error)) onReply(error);
    });
  }

  #onReply(reply: unknown, sentAt: number): void {
    this.#inFlight -= 1;
    if (this.#options.isValidReply?.(reply) === false) return;
    [this.#unanswered, this.#silence] = [0, 0];
    this.#maxSilence = MAX_SILENCE_MILLISECONDS;
    this.lastProbeAt = Math.max(this.lastProbeAt, sentAt);
  }
}
