import { callAt, nextMultiple } from '../shared-timer.ts';
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
  /** Called when the server has not replied to PING for half a second, or for 2 s on a new connection. */
  readonly onSilent: () => void;
  /** Whether a reply to PING proves that the connection serves its purpose. Default: any reply does, also an error. */
  readonly isValidReply?: (reply: unknown) => boolean;
  /** Milliseconds between PINGs that are answered in time. Default: a third of a second. */
  readonly interval?: number;
  /** Whether to send a PING every 111 ms. Asked at each beat, and by `hasten`. Default: never. */
  readonly isNeeded?: () => boolean;
  /** Called at each beat with whether a reply is overdue. */
  readonly onBeat?: (isOverdue: boolean) => void;
}

/**
 * A beat sends a PING, and finds out whether the one before was answered: every third of a second, and every ninth while a
 * reply is overdue. A connection that is cut off behind a reply is therefore dropped 889 ms after the PING of that reply was
 * sent: the next PING is sent a third later, found unanswered after another third, and given two ninths more. A new connection is
 * made 20 ms later. A change that is not announced on the old one is therefore in force within a second.
 *
 * A missing reply is not noticed earlier, so that an idle process wakes up only to send a PING and to receive its reply.
 * Beats are at multiples of their interval: all connections of a process, and what it does every second, share them.
 */
const INTERVAL_MILLISECONDS = 1_000 / 3;
/** While a reply is overdue. */
export const OVERDUE_MILLISECONDS = 1_000 / 9;
/**
 * Between the beats, from the first PING without a reply. Their planned times are added: a process that was suspended has
 * waited for no reply. A third and two ninths of a second, or less if the first of these beats was late.
 */
const MAX_SILENCE_MILLISECONDS = 500;
/** Until the first reply on a connection: a distant Redis is late once, and then replies at each interval. */
const MAX_SILENCE_AT_FIRST_MILLISECONDS = 1_950;
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
  #cancelBeat = () => {};
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
    // The beat behind it is not later than one interval.
    this.#schedule(nextMultiple(OVERDUE_MILLISECONDS, this.#sentAt + INTERVAL_MILLISECONDS - OVERDUE_MILLISECONDS));
  }

  stop(): void {
    this.#cancelBeat();
    this.#connection = undefined;
    this.lastProbeAt = Number.NEGATIVE_INFINITY;
  }

  hasten(): void {
    const isDue = this.#nextBeatAt - performance.now() < OVERDUE_MILLISECONDS;
    if (!this.#connection || this.#isOverdue() || isDue || !this.#options.isNeeded?.()) return;
    this.#cancelBeat();
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

  #schedule(at: number): void {
    this.#delay = at - performance.now();
    this.#nextBeatAt = at;
    this.#cancelBeat = callAt(at, this.#beat);
  }

  readonly #beat = (): void => {
    const isOverdue = this.#isOverdue();
    if (this.#unanswered > 0) this.#silence += this.#delay;
    this.#options.onBeat?.(isOverdue);
    const isUrgent = isOverdue || this.#options.isNeeded?.() === true;
    const next = nextMultiple(isUrgent ? OVERDUE_MILLISECONDS : this.#interval);
    const isTooLate = next - this.#sentAt > this.#interval;
    if (this.#isSilent()) this.#endUnless(() => !this.#isSilent());
    else if (isUrgent || isTooLate) this.#probe();
    this.#schedule(next);
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
