import type { RotationPolicy } from '../key-policy.ts';
import { keyPhases } from '../lifecycle.ts';
import type { StoredKeyring } from './stored-keyring.ts';

/** When a server looks whether the keyring has to be changed. */
export interface MaintenanceSchedule {
  isDue(now: number): boolean;
  /** A keyring was read that may have to be changed at other times. */
  follow(keyring: StoredKeyring, now: number): void;
  /** The keyring was maintained. */
  done(keyring: StoredKeyring, now: number): void;
}

const MAX_INTERVAL_MILLISECONDS = 60_000;
const MAX_JITTER_MILLISECONDS = 5_000;

/**
 * Once a minute, and shortly after a key begins or ceases to be something. At random, so that servers rarely compete,
 * and more often if keys are published for less than ten minutes.
 */
export function createMaintenanceSchedule({ publishAhead, retention }: RotationPolicy): MaintenanceSchedule {
  const interval = Math.min(MAX_INTERVAL_MILLISECONDS, publishAhead / 10);
  const jitter = Math.min(MAX_JITTER_MILLISECONDS, publishAhead / 100);
  let dueAt = Number.NEGATIVE_INFINITY;
  const nextAt = ({ keys }: StoredKeyring, now: number) => {
    const transition = Math.min(...keyPhases(keys, retention, now).map(({ until }) => until));
    return Math.min(now + interval * (0.9 + 0.2 * Math.random()), transition + jitter * Math.random());
  };
  return {
    isDue: (now) => now >= dueAt,
    follow: (keyring, now) => {
      dueAt = Math.min(Math.max(dueAt, now + jitter * Math.random()), nextAt(keyring, now));
    },
    done: (keyring, now) => {
      dueAt = nextAt(keyring, now);
    },
  };
}
