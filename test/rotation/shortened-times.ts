import type { RotationPolicy } from '../../src/tokens/keyring/key-policy.ts';
import { slowdown } from '../support/slowdown.ts';

const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A day takes ten seconds on an idle machine, more than eight thousand times less than a real one. */
const SHORTENED_DAY_SECONDS = 10;
/** Less than the five seconds by which a server tolerates that the clock of another one is ahead (RFC 7519 §4.1.5). */
const LONGEST_CLOCK_OFFSET = 4_000;

export interface ShortenedTimes {
  readonly policy: RotationPolicy & { readonly rotation: number };
  /** Seconds: the longest lifetime, a day. */
  readonly tokenLifetime: number;
  /** By how much a clock may be wrong, in milliseconds: more than the five minutes would be. */
  readonly clockOffset: number;
  /** Shortens a time in milliseconds. */
  readonly shortened: (milliseconds: number) => number;
}

/** Milliseconds, before they are shortened. */
interface ShortenedPeriods {
  /** Default: 24 hours, that of the server. */
  readonly publishAhead?: number;
  /** Default: as soon as a key has been published for long enough. */
  readonly rotation?: number;
}

/** On a busy machine the times are longer: its programs need them for the same work, and it may become busier. */
export function shortenedTimes(options: ShortenedPeriods = {}): ShortenedTimes {
  const { publishAhead = DAY, rotation = publishAhead } = options;
  const factor = slowdown();
  const daySeconds = Math.ceil(SHORTENED_DAY_SECONDS * (factor < 1.5 ? 1 : 2 * factor));
  const day = daySeconds * 1_000;
  const shortened = (milliseconds: number) => (milliseconds / DAY) * day;
  const clockOffset = Math.min(day / 20, LONGEST_CLOCK_OFFSET);
  const policy = {
    publishAhead: shortened(publishAhead),
    rotation: shortened(rotation),
    retention: day + clockOffset,
    clockTolerance: clockOffset,
  };
  return { policy, tokenLifetime: daySeconds, clockOffset, shortened };
}
