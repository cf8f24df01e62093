/** How a test runs a terminator with the configuration that the repository ships, before an application of its own. */
export interface ShippedTerminatorOptions {
  /**
   * Holds `client-ca.pem`, and `NAME.pem` and `NAME-key.pem` for `auth.example` and `mtls.auth.example`, as
   * `startDeployment` writes them. The terminator's own files go into a folder of their own in it.
   */
  readonly directory: string;
  /** The loopback port for both names. */
  readonly port: number;
  /** Where the application listens: `unix:/path` or `http://127.0.0.1:PORT`. */
  readonly socket: string;
  /** What to replace in the shipped files, before ports and paths are. */
  readonly replace?: readonly (readonly [from: string, to: string])[];
}

/** A terminator that runs until it is stopped. */
export interface RunningTerminator {
  readonly pid: number;
  /** What it has written so far. */
  readonly errors: () => string;
  /** Resolves to the exit code. */
  readonly stop: () => Promise<number>;
}
