import { OperatorError } from '../../../errors/operator-error.ts';
import type { Log } from '../../../observability/log.ts';
import { openTimedValue, type TimedValueStore } from '../../../redis/commands/timed-value.ts';
import { isWrongType, RedisUnavailableError } from '../../../redis/guarded-redis.ts';
import { KeyPoller } from '../../../redis/invalidation/key-poller.ts';
import type { SigningAlgorithm } from '../../algorithms/signing-algorithm.ts';
import type { TokenStore } from '../../token-store.ts';
import type { RotationPolicy } from '../key-policy.ts';
import type { KeyringSource, KeyringVersion } from '../live-keyring.ts';
import { createKeyringLog, type KeyringLog } from './keyring-log.ts';
import { KeyringMaintenance } from './maintenance.ts';
import { notReadyReason } from './not-ready.ts';
import type { Sealer } from './sealing.ts';
import { isOlder, parseKeyring, type StoredKeyring, StoredKeyringError } from './stored-keyring.ts';
import { type UnsealedKeyring, unsealKeyring } from './unsealed-keyring.ts';

export interface RedisKeyringOptions {
  readonly store: TokenStore;
  readonly sealer: Sealer;
  readonly policy: RotationPolicy;
  /** The server's own; undefined for that of the keyring. */
  readonly algorithm: SigningAlgorithm | undefined;
  /** Milliseconds. */
  readonly maxQueueDelay: number;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds between two reads. Default: 500, so that a key that is removed is rejected within a second. */
  readonly pollInterval?: number;
}

const POLL_INTERVAL_MILLISECONDS = 500;

export interface RedisKeyringSource extends KeyringSource {
  /**
   * Unseals and seals with other key-encryption keys from now on. Resolves once the keyring was read with them, or if it
   * could not be read.
   *
   * @throws {OperatorError} if the keyring in Redis is not sealed with one of them; the previous ones stay in use
   */
  replaceSealer(sealer: Sealer): Promise<void>;
}

/**
 * The keyring at `{prefix}keyring`, which every server follows and maintains. Resolves after the first attempt to read it,
 * whether or not that succeeds.
 */
export async function openRedisKeyring(options: RedisKeyringOptions): Promise<RedisKeyringSource> {
  const source = new RedisKeyring(options);
  await source.start();
  return source;
}

class RedisKeyring implements RedisKeyringSource {
  readonly description: string;
  notReadyReason: string | undefined;
  readonly #options: RedisKeyringOptions;
  readonly #key: string;
  readonly #value: TimedValueStore;
  readonly #log: KeyringLog;
  readonly #maintenance: KeyringMaintenance;
  readonly #poller: KeyPoller;
  #sealer: Sealer;
  #version: KeyringVersion;
  #held: { readonly keyring: UnsealedKeyring; readonly text: string } | undefined;
  /** The value that was found last, held or rejected: nothing is to be done until it changes. */
  #seen: string | undefined;
  #unfollowed: StoredKeyring | undefined;
  #problem = 'the keyring has not been read yet';

  constructor(options: RedisKeyringOptions) {
    const { store, sealer, policy, algorithm, log, now, pollInterval = POLL_INTERVAL_MILLISECONDS } = options;
    this.#options = options;
    this.#sealer = sealer;
    this.#key = `${store.keyPrefix}keyring`;
    this.description = `the keyring in Redis, ${this.#key}`;
    this.#value = guarded(store, this.#key);
    this.#log = createKeyringLog(log, policy.retention);
    this.#maintenance = new KeyringMaintenance({ store: this.#value, policy, log: this.#log, now });
    this.#version = { keys: [], algorithm, number: 0 };
    this.#poller = new KeyPoller({
      interval: pollInterval,
      announced: store.announced?.keyring,
      isUpToDate: () => this.#seen !== undefined,
      read: () => this.#follow(),
      onError: (error) => this.#onFailure(error),
      onEnd: () => this.#onPolled(),
    });
    store.onReconnected(() => void this.#poller.poll());
  }

  start(): Promise<void> {
    return this.#poller.poll();
  }

  current(): KeyringVersion {
    return this.#version;
  }

  async close(): Promise<void> {
    this.#poller.stop();
  }

  async replaceSealer(sealer: Sealer): Promise<void> {
    const stored = this.#unfollowed ?? this.#held?.keyring.stored;
    const { problem } = stored ? await unsealKeyring(stored, { ...this.#options, sealer }) : {};
    if (problem !== undefined) throw new OperatorError([`the private keys of ${this.#key} in Redis are ${problem}`]);
    await this.#poller.poll(() => {
      this.#sealer = sealer;
      // A version that could not be unsealed is read again.
      this.#seen = undefined;
    });
  }

  async #follow(): Promise<void> {
    const { redis } = this.#options.store;
    const text = await redis.execute((connected) => connected.get(this.#key));
    if (text === this.#seen) return;
    this.#seen = undefined;
    if (text === null) return this.#onMissing();
    if (text === this.#held?.text && this.#held.keyring.problem === undefined) return this.#settle(text);
    try {
      await this.#onChange(text);
    } catch (error) {
      if (!(error instanceof StoredKeyringError)) throw error;
      this.#seen = text;
      this.#reject(error.message);
    }
  }

  async #onChange(text: string): Promise<void> {
    const stored = parseKeyring(text);
    const held = this.#held?.keyring;
    if (held && isOlder(stored, held.stored)) return this.#writeBack(text);
    const keyring = await unsealKeyring(stored, { ...this.#options, sealer: this.#sealer }, held);
    this.#unfollowed = keyring.problem !== undefined && held && held.problem === undefined ? stored : undefined;
    // Who can write to Redis could have made it.
    if (this.#unfollowed) throw new StoredKeyringError(`its private keys are ${keyring.problem}`);
    this.#held = { keyring, text };
    const algorithm = this.#options.algorithm ?? stored.algorithm;
    this.#version = { keys: keyring.keys, algorithm, number: stored.version };
    this.#settle(text);
    this.#maintenance.follow(stored);
    this.#logAdoption(keyring, held?.stored);
  }

  #logAdoption({ stored, problem }: UnsealedKeyring, previous: StoredKeyring | undefined): void {
    const now = this.#options.now();
    if (!previous) this.#log.loaded(stored, now);
    else if (previous.id === stored.id) this.#log.changed(stored, now);
    else this.#log.replaced(stored, previous, now);
    this.#log.sealed(problem && `the private keys are ${problem}`);
  }

  async #onMissing(): Promise<void> {
    if (this.#held) return this.#writeBack(undefined);
    this.#problem = 'there is no keyring in Redis: run `countersign keys create`';
    this.#log.missing();
  }

  /** Redis has lost changes. Several servers may try; the first one succeeds, and the newest version remains. */
  async #writeBack(found: string | undefined): Promise<void> {
    const held = this.#held;
    // What was not unsealed may not be genuine.
    if (!held || held.keyring.problem !== undefined) return;
    try {
      const { time } = await this.#value.read();
      if (!(await this.#value.replace(found, held.text, time))) return;
    } catch (error) {
      if (!(error instanceof RedisUnavailableError)) throw error;
      if (this.#isConnected()) this.#log.maintenanceFailed(error.message);
      return;
    }
    this.#settle(held.text);
    this.#log.restored(held.keyring.stored, found === undefined ? 'none' : 'older');
  }

  #settle(text: string): void {
    this.#seen = text;
    this.#unfollowed = undefined;
    this.#log.settled();
  }

  #reject(reason: string): void {
    this.#problem = `the value of ${this.#key} in Redis is not used: ${reason}`;
    this.#log.rejected(reason);
  }

  #onFailure(error: unknown): void {
    this.#seen = undefined;
    if (isWrongType(error)) {
      this.#reject('it is not a string');
      return;
    }
    const reason = error instanceof Error ? error.message : String(error);
    this.#problem = `the keyring cannot be read from Redis: ${reason}`;
    if (!(error instanceof RedisUnavailableError) || this.#isConnected()) this.#log.readFailed(reason);
  }

  /** While the connection is down, that of the registry is as well, and that is logged. */
  #isConnected(): boolean {
    return this.#options.store.connection.problem === undefined;
  }

  #onPolled(): void {
    const { algorithm, now } = this.#options;
    const [held, unfollowed] = [this.#held, this.#unfollowed];
    this.notReadyReason = held
      ? notReadyReason({ keyring: held.keyring, algorithm, unfollowed }, now())
      : this.#problem;
    if (!held || held.keyring.problem !== undefined || !this.#isConnected()) return;
    this.#maintenance.startIfDue({ stored: held.keyring.stored, text: held.text, sealer: this.#sealer });
  }
}

function guarded({ connection, redis }: TokenStore, key: string): TimedValueStore {
  const value = openTimedValue(connection.redis, key);
  return {
    read: () => redis.execute(() => value.read()),
    replace: (...parameters) => redis.execute(() => value.replace(...parameters)),
  };
}
