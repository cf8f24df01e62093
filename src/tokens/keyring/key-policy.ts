/** When keys are published. All values are milliseconds. */
export interface KeyPolicy {
  /** For how long a key stays published after it has signed its last token. No token lives longer. */
  readonly retention: number;
  /** For how long a key is published before it signs, so that verifiers have fetched it by then. */
  readonly publishAhead: number;
}

/** When the keys of a keyring that rotates by itself are published and replaced. */
export interface RotationPolicy extends KeyPolicy {
  /** For how long a key signs, in milliseconds; undefined if only an operator rotates keys. */
  readonly rotation: number | undefined;
  /** By how much the clocks of servers may differ. At most half of `publishAhead`. */
  readonly clockTolerance: number;
}

export const CLOCK_TOLERANCE_MILLISECONDS = 300_000;

/** The longest lifetime that a record may have (24 h), and the time by which clocks may differ. */
export const KEY_RETENTION_MILLISECONDS = 86_400_000 + CLOCK_TOLERANCE_MILLISECONDS;
