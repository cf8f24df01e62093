import type { TimedValueStore } from '../../../redis/commands/timed-value.ts';
import type { RotationPolicy } from '../key-policy.ts';
import { keyPhases } from '../lifecycle.ts';
import { changeKeyring } from './change-keyring.ts';
import { KeyringChangeError, maintained } from './changes.ts';
import type { KeyringLog } from './keyring-log.ts';
import type { Sealer } from './sealing.ts';
import type { StoredKeyring } from './stored-keyring.ts';

interface MaintenanceOptions {
  readonly store: TimedValueStore;
  readonly policy: RotationPolicy;
  readonly log: KeyringLog;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The keyring that a server follows. */
interface HeldKeyring {
  readonly stored: StoredKeyring;
  /** The value in Redis. */
  readonly text: string;
  /** With the key-encryption keys of this server. */
  readonly sealer: Sealer;
}

const MAX_INTERVAL_MILLISECONDS = 60_000;
const MAX_JITTER_MILLISECONDS = 5_000;
/** The documented 5 minutes, and the latency of Redis. */
const MAX_CLOCK_DIFFERENCE = 5.5 * 60_000;

/** The keyring has changed meanwhile: not a problem. */
class ChangedMeanwhile extends Error {}

/**
 * Publishes, schedules and removes keys as the time requires. Any server may do so; the first one succeeds.
 *
 * It is due once a minute, and shortly after a key begins or ceases to be something. At random, so that servers rarely
 * compete, and more often if keys are published for less than ten minutes.
 */
export class KeyringMaintenance {
  readonly #options: MaintenanceOptions;
  readonly #interval: number;
  readonly #jitter: number;
  #dueAt = Number.NEGATIVE_INFINITY;
  #isRunning = false;

  constructor(options: MaintenanceOptions) {
    const { publishAhead } = options.policy;
    this.#options = options;
    this.#interval = Math.min(MAX_INTERVAL_MILLISECONDS, publishAhead / 10);
    this.#jitter = Math.min(MAX_JITTER_MILLISECONDS, publishAhead / 100);
  }

  /** A keyring was read that may have to be changed at other times. */
  follow(keyring: StoredKeyring): void {
    const soon = this.#options.now() + this.#jitter * Math.random();
    this.#dueAt = Math.min(Math.max(this.#dueAt, soon), this.#nextAt(keyring));
  }

  /** Not awaited: it may generate keys, and changes are followed meanwhile. */
  startIfDue(held: HeldKeyring): void {
    if (this.#isRunning || this.#options.now() < this.#dueAt) return;
    this.#isRunning = true;
    void this.#run(held).finally(() => {
      this.#isRunning = false;
      this.#dueAt = this.#nextAt(held.stored);
    });
  }

  #nextAt({ keys }: StoredKeyring): number {
    const { policy, now } = this.#options;
    const time = now();
    const transition = Math.min(...keyPhases(keys, policy.retention, time).map(({ until }) => until));
    return Math.min(time + this.#interval * (0.9 + 0.2 * Math.random()), transition + this.#jitter * Math.random());
  }

  async #run({ text: held, sealer }: HeldKeyring): Promise<void> {
    const { store, policy, log, now } = this.#options;
    const verify = (_: unknown, text: string) => {
      // Another one is followed first.
      if (text !== held) throw new ChangedMeanwhile();
    };
    try {
      await changeKeyring({ store, sealer, policy, verify }, (keyring, time) => {
        // A wrong clock would remove keys that still sign.
        requireSameTime(time, now());
        return maintained(keyring, [], policy, time);
      });
      log.maintained();
    } catch (error) {
      if (error instanceof ChangedMeanwhile) log.maintained();
      else log.maintenanceFailed(error instanceof Error ? error.message : String(error));
    }
  }
}

function requireSameTime(time: number, now: number): void {
  const difference = Math.abs(time - now);
  if (difference <= MAX_CLOCK_DIFFERENCE) return;
  const clocks = `the clocks of Redis and of this server differ by ${Math.round(difference / 1000)} s`;
  throw new KeyringChangeError(`${clocks}, and may differ by 5 minutes: synchronize them`);
}
