import { callAt, nextMultiple, RESOLUTION_MILLISECONDS } from '../shared-timer.ts';
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
  /** Sends a PING now, even if one is in flight, if it is needed and no beat is due soon. */
  hasten(): void;
  /** Calls `onSilent` if two PINGs are unanswered. */
  endIfUnanswered(): void;
  /** Stops probing; no earlier probe counts any more. */
  stop(): void;
}

interface HeartbeatOptions {
  readonly redis: { ping(): Promise<unknown> };
  /** Called when the server has not replied to PING for 556 ms, or for 2 s on a new connection. */
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
 * A beat sends a PING, and checks whether the one before was answered: every third of a second, and every ninth while a
 * reply is overdue. A connection that is cut off after a reply is therefore dropped 889 ms after the PING of that reply was
 * sent: the next PING is sent a third later, found unanswered after another third, and given two ninths more. A new connection is
 * made 20 ms later. A change that is not announced on the old one is therefore in force within a second.
 *
 * A missing reply is not noticed earlier, so that an idle process wakes up only to send a PING and to receive its reply.
 * Beats are at multiples of their interval: all connections of a process, and what it does every second, share them.
 */
const INTERVAL_MILLISECONDS = 1_000 / 3;
/** While a reply is overdue. */
export const OVERDUE_MILLISECONDS = 1_000 / 9;
/** From the first PING without a reply. A Redis that pauses for half a second is not dropped. */
const MAX_SILENCE_MILLISECONDS = INTERVAL_MILLISECONDS + 2 * OVERDUE_MILLISECONDS;
/** Until the first reply on a connection: a distant Redis is late once, and then replies at each interval. */
const MAX_SILENCE_AT_FIRST_MILLISECONDS = 2_000;
/** A common beat this much before the end of that time suffices: the PING was sent a little late. */
const MAX_EARLY_MILLISECONDS = 25;
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
  #lastBeatAt = 0;
  #nextBeatAt = 0;
  #sentAt = 0;
  /** The numbers of the last PING, and of the last one with a reply: a connection preserves order. */
  #sent = 0;
  #replied = 0;
  /** PINGs since the last valid reply. */
  #unanswered = 0;
  #silence = 0;
  #maxSilence = MAX_SILENCE_AT_FIRST_MILLISECONDS;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#interval = options.interval ?? INTERVAL_MILLISECONDS;
  }

  start(): void {
    this.stop();
    this.#connection = {};
    [this.#sent, this.#replied, this.#unanswered, this.#silence] = [0, 0, 0, 0];
    this.#maxSilence = MAX_SILENCE_AT_FIRST_MILLISECONDS;
    this.lastProbeAt = performance.now();
    // Once it is answered, the connection is dropped as soon as any other one.
    this.#probe();
    // The beat after it is not later than one interval.
    this.#schedule(nextMultiple(OVERDUE_MILLISECONDS, this.#sentAt + INTERVAL_MILLISECONDS - OVERDUE_MILLISECONDS));
  }

  stop(): void {
    this.#cancelBeat();
    this.#connection = undefined;
    this.lastProbeAt = Number.NEGATIVE_INFINITY;
  }

  hasten(): void {
    const isDue = this.#nextBeatAt - performance.now() < OVERDUE_MILLISECONDS;
    if (!this.#connection || isDue || !this.#options.isNeeded?.()) return;
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
    this.#lastBeatAt = performance.now();
    this.#nextBeatAt = at;
    this.#cancelBeat = callAt(at, this.#beat);
  }

  readonly #beat = (): void => {
    if (this.#unanswered > 0) this.#silence += this.#sinceLastBeat();
    const isOverdue = this.#isOverdue();
    this.#options.onBeat?.(isOverdue);
    const isUrgent = isOverdue || this.#options.isNeeded?.() === true;
    const next = isUrgent ? this.#nextUrgentBeat() : nextMultiple(this.#interval);
    const isDue = isUrgent || next - this.#sentAt > this.#interval + RESOLUTION_MILLISECONDS;
    if (this.#isSilent()) this.#endUnless(() => !this.#isSilent());
    else if (isDue) this.#probe();
    // A PING is found unanswered after a third of a second, however long the interval is.
    this.#schedule(isDue ? Math.min(next, nextMultiple(INTERVAL_MILLISECONDS)) : next);
  };

  /** A beat more than a ninth of a second late counts as punctual: a process that was suspended has waited for no reply. */
  #sinceLastBeat(): number {
    const now = performance.now();
    const isSuspended = now - this.#nextBeatAt > OVERDUE_MILLISECONDS;
    return (isSuspended ? this.#nextBeatAt : now) - this.#lastBeatAt;
  }

  /** The next common beat, or sooner, when the connection counts as silent. */
  #nextUrgentBeat(): number {
    const next = nextMultiple(OVERDUE_MILLISECONDS);
    const silentAt = performance.now() + this.#maxSilence - this.#silence;
    return this.#isSilent() ? next : Math.min(next, silentAt);
  }

  #isOverdue(): boolean {
    return this.#sent > this.#replied || this.#unanswered > 0;
  }

  #isSilent(): boolean {
    return this.#unanswered > 0 && this.#silence >= this.#maxSilence - MAX_EARLY_MILLISECONDS;
  }

  #probe(): void {
    const [connection, sentAt] = [this.#connection, performance.now()];
    this.#sentAt = sentAt;
    this.#unanswered += 1;
    const number = ++this.#sent;
    const onReply = (reply: unknown) => {
      if (this.#connection !== connection) return;
      this.#replied = number;
      this.#onReply(reply, sentAt);
    };
    this.#options.redis.ping().then(onReply, (error: unknown) => {
      // Otherwise either the connection emits its end, or the next probes stay unanswered.
      if (isErrorReply(error)) onReply(error);
    });
  }

  #onReply(reply: unknown, sentAt: number): void {
    if (this.#options.isValidReply?.(reply) === false) return;
    [this.#unanswered, this.#silence] = [0, 0];
    this.#maxSilence = MAX_SILENCE_MILLISECONDS;
    this.lastProbeAt = Math.max(this.lastProbeAt, sentAt);
  }
}
