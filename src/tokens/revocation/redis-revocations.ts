import { withTimeout } from '../../cache/timeout.ts';
import { type OAuthError, temporarilyUnavailable } from '../../oauth/oauth-error.ts';
import type { AccessToken } from '../access-token.ts';
import type { TokenStore } from '../token-store.ts';
import { refusalReporter } from './refusal-reporter.ts';
import { digestOf, type Revocation, revocationReason, revokedToken, subjectsOf } from './revocation.ts';
import { type FeedEvents, RevocationFeed } from './revocation-feed.ts';
import { findRevocations, type RevocationKeys, readStream, revocationKeys } from './revocation-store.ts';
import { RevocationTable } from './revocation-table.ts';
import { RevocationWriter } from './revocation-writer.ts';
import type { RevocableToken, TokenRevocations } from './token-revocations.ts';

interface RedisRevocationsOptions {
  readonly store: TokenStore;
  /** Milliseconds since the stream was last read for which the table decides while Redis is unreachable. */
  readonly maxAge: number;
  /** Milliseconds that a verification waits for Redis. */
  readonly lookupTimeout: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly events: RevocationEvents;
  /** Of the table. Default: what fits into 64 MiB, at 64 bytes each. */
  readonly maxEntries?: number;
}

/** Each is called on changes only. */
export interface RevocationEvents extends Omit<FeedEvents, 'onRead'> {
  /** @param problem why Redis refuses to read the stream; undefined once it permits it */
  readonly onFeedProblem: (problem: string | undefined) => void;
  /** @param count of revocations that were written again after Redis had lost them */
  readonly onRestored: (count: number) => void;
  /** @param problem why Redis refuses to look up single tokens; undefined once it permits it */
  readonly onLookupProblem: (problem: string | undefined) => void;
}

/** The revocations of this replica, for the metrics. Lookups are counted since the start. */
export interface RevocationState {
  readonly entries: number;
  readonly bytes: number;
  /** Seconds since all revocations in Redis were known here; infinite if they never were. */
  readonly ageSeconds: number;
  /** Verifications that Redis was asked for. */
  readonly lookups: {
    /** Redis has replied. */
    readonly found: number;
    /** It has not, and the table decided. */
    readonly stale: number;
    /** It has not, and the verification failed. */
    readonly failed: number;
  };
}

/** Revocations with their metrics. */
export interface ObservedRevocations extends TokenRevocations {
  readonly state: RevocationState;
}

const MAX_ENTRIES = 2 ** 20;

/** Starts to read the revocations. Until that is done, each token is looked up in Redis. */
export function createRedisRevocations(options: RedisRevocationsOptions): ObservedRevocations {
  const revocations = new RedisRevocations(options);
  options.store.onReconnected(() => revocations.start());
  revocations.start();
  return revocations;
}

/**
 * The revocations in Redis, all of them in memory. A verification asks Redis only if a revocation that is older than a
 * second may be missing there.
 */
class RedisRevocations implements ObservedRevocations {
  readonly #options: RedisRevocationsOptions;
  readonly #keys: RevocationKeys;
  readonly #table: RevocationTable;
  readonly #feed: RevocationFeed;
  readonly #writer: RevocationWriter;
  readonly #onLookup: (error: unknown) => void;
  /** The generation of the table that does not contain a token. */
  readonly #absentIn = new WeakMap<RevocableToken, number>();
  readonly #lookups = { found: 0, stale: 0, failed: 0 };

  constructor(options: RedisRevocationsOptions) {
    const { store, now, events, maxEntries = MAX_ENTRIES } = options;
    const keys = revocationKeys(store.keyPrefix);
    this.#options = options;
    this.#keys = keys;
    this.#table = new RevocationTable(maxEntries);
    this.#onLookup = refusalReporter(store, events.onLookupProblem);
    this.#feed = new RevocationFeed({
      readStream: (from, count) => readStream(store.redis.executeOptional, keys, from, count),
      announced: store.announced?.revocations,
      table: this.#table,
      now,
      onMissing: (lost) => void this.#writeAgain(lost),
      events: { ...events, onRead: refusalReporter(store, events.onFeedProblem) },
    });
    const onWritten = (id: string, revocation: Revocation) => this.#feed.add(id, revocation);
    this.#writer = new RevocationWriter({ store, keys, now, onWritten });
  }

  /** The connection is new, perhaps to another server with other data and another ACL. */
  start(): void {
    this.#feed.restart();
    // The ACL may permit the stream, but not the keys. No token has an empty `jti`.
    const { redis } = this.#options.store;
    const found = findRevocations(redis.executeOptional, this.#keys, [{ kind: 'jti', value: '' }]);
    found.then(() => this.#onLookup(undefined), this.#onLookup);
  }

  check(token: RevocableToken): string | undefined | Promise<string | undefined> {
    const known = this.findKnown(token);
    if (known !== undefined || this.#feed.isCovered(performance.now())) return known;
    return this.#lookUp(token);
  }

  /** What the table contains, whether or not it is up to date: revocations are never undone. */
  findKnown(token: RevocableToken): string | undefined {
    const table = this.#table;
    if (table.size === 0 || this.#absentIn.get(token) === table.generation) return undefined;
    for (const subject of subjectsOf(token)) {
      const before = table.find(digestOf(subject));
      if (before !== undefined && token.issuedAt <= before) return revocationReason(subject, before);
    }
    this.#absentIn.set(token, table.generation);
    return undefined;
  }

  async #lookUp(token: RevocableToken): Promise<string | undefined> {
    const { store, lookupTimeout, maxAge } = this.#options;
    const subjects = subjectsOf(token);
    try {
      const lookup = findRevocations(store.redis.executeOptional, this.#keys, subjects);
      const found = await withTimeout(lookup, lookupTimeout);
      this.#lookups.found += 1;
      const index = found.findIndex((before) => before !== undefined && token.issuedAt <= before);
      const [subject, before] = [subjects[index], found[index]];
      return subject && before !== undefined ? revocationReason(subject, before) : undefined;
    } catch (error) {
      this.#onLookup(error);
      const age = performance.now() - this.#feed.syncedAt;
      if (!this.#feed.isComplete || age > maxAge) {
        this.#lookups.failed += 1;
        throw unavailable('failed to look up in Redis whether the token is revoked', error);
      }
      this.#lookups.stale += 1;
      return this.findKnown(token);
    }
  }

  async revoke(token: AccessToken): Promise<void> {
    const revocation = revokedToken(token.tokenId, token.expiresAt);
    const isKnown = () => this.#table.find(digestOf(revocation)) !== undefined;
    try {
      await this.#writer.write(revocation, isKnown);
    } catch (error) {
      throw unavailable('failed to store the revocation in Redis', error);
    }
  }

  /** Other replicas may not have read them before Redis has lost them. */
  async #writeAgain(lost: readonly Revocation[]): Promise<void> {
    const unwritten = await this.#writer.writeAgain(lost);
    for (const revocation of unwritten) this.#feed.addUnwritten(revocation);
    const written = lost.length - unwritten.length;
    if (written > 0) this.#options.events.onRestored(written);
  }

  get state(): RevocationState {
    const { size: entries, bytes } = this.#table;
    return { entries, bytes, ageSeconds: (performance.now() - this.#feed.syncedAt) / 1000, lookups: this.#lookups };
  }

  async close(): Promise<void> {
    this.#feed.stop();
  }
}

const RETRY_AFTER_SECONDS = 1;

/** @param what has failed, for the operator */
function unavailable(what: string, error: unknown): OAuthError {
  const reason = `${what}: ${error instanceof Error ? error.message : error}`;
  return temporarilyUnavailable('revocations_unavailable', reason, RETRY_AFTER_SECONDS);
}
