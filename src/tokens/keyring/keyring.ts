import type { SigningAlgorithm } from '../algorithms/signing-algorithm.ts';
import type { PublishedKey } from '../published-key.ts';
import type { SigningKey } from '../signing-key.ts';
import type { KeyPhase, ScheduledKey } from './lifecycle.ts';

/** The keys of this server as they are now. They change while it runs. */
export interface Keyring {
  /** Where the keys are from, for the startup line and for logs. */
  readonly description: string;
  /**
   * The key that signs now.
   *
   * @param algorithm that a resource requires; by default the server's own
   * @throws {OAuthError} temporarily_unavailable if no key of the algorithm can sign at the moment
   */
  signingKey(algorithm?: SigningAlgorithm): SigningKey;
  /**
   * Finds a published key by its `kid`: the same object for as long as it is published.
   *
   * @throws {OAuthError} temporarily_unavailable if the keys are not known, since they have never been read
   */
  find(keyId: string): PublishedKey | undefined;
  /** In the order of the JWKS; the same array until it changes. */
  readonly published: readonly PublishedKey[];
  /** Those that have a signing key, the server's own first; the same array until it changes. */
  readonly algorithms: readonly SigningAlgorithm[];
  /** The state of each key, for the metrics. */
  readonly phases: readonly KeyPhase<ScheduledKey>[];
  /** Increases with each change of the keys in Redis, 0 before the first; always undefined if they are elsewhere. */
  readonly version: number | undefined;
  /** Why no token can be signed at the moment; undefined if tokens can. */
  readonly notReadyReason: string | undefined;
  close(): Promise<void>;
}
