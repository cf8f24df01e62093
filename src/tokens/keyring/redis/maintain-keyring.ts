import type { TimedValueStore } from '../../../redis/commands/timed-value.ts';
import type { RotationPolicy } from '../key-policy.ts';
import { changeKeyring } from './change-keyring.ts';
import { KeyringChangeError, maintained } from './changes.ts';
import type { Sealer } from './sealing.ts';

interface MaintenanceOptions {
  readonly store: TimedValueStore;
  readonly sealer: Sealer;
  readonly policy: RotationPolicy;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The value that was checked. Another one is followed first. */
  readonly held: string;
}

/** The documented 5 minutes, and the latency of Redis. */
const MAX_CLOCK_DIFFERENCE = 5.5 * 60_000;

/** The keyring has changed meanwhile: not a problem. */
class ChangedMeanwhile extends Error {}

/**
 * Publishes, schedules and removes keys as the time requires. Any server may do so; the first one succeeds.
 *
 * @returns why it failed
 */
export async function maintainKeyring({ held, now, ...options }: MaintenanceOptions): Promise<string | undefined> {
  const verify = (_: unknown, text: string) => {
    if (text !== held) throw new ChangedMeanwhile();
  };
  try {
    await changeKeyring({ ...options, verify }, (keyring, time) => {
      // A wrong clock would remove keys that still sign.
      requireSameTime(time, now());
      return maintained(keyring, [], options.policy, time);
    });
    return undefined;
  } catch (error) {
    if (error instanceof ChangedMeanwhile) return undefined;
    return error instanceof Error ? error.message : String(error);
  }
}

function requireSameTime(time: number, now: number): void {
  const difference = Math.abs(time - now);
  if (difference <= MAX_CLOCK_DIFFERENCE) return;
  const clocks = `the clocks of Redis and of this server differ by ${Math.round(difference / 1000)} s`;
  throw new KeyringChangeError(`${clocks}, and may differ by 5 minutes: synchronize them`);
}
