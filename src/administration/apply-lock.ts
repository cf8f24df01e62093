import { setTimeout as delay } from 'node:timers/promises';
import { type Lease, openLease } from '../redis/commands/lease.ts';
import type { RedisConnection } from '../redis/connection.ts';
import { AdministrationError } from './administration-error.ts';
import { currentOwner, describeOwner } from './lock-owner.ts';
import { type ExecuteCommand, withExplainedErrors } from './record-store.ts';

/** The lock of a killed process expires after this time. */
const LIFETIME_MILLISECONDS = 15_000;
const RENEWAL_MILLISECONDS = 5_000;
/** Longer than the lifetime, so that a run started after a killed one acquires the lock. */
const WAIT_MILLISECONDS = 20_000;
const ATTEMPT_MILLISECONDS = 250;
/** An unresponsive Redis does not delay the exit. */
const RELEASE_MILLISECONDS = 1_000;

/** Lets one `clients apply` run at a time. Two at once would not see what the other is about to write. */
export class ApplyLock implements AsyncDisposable {
  readonly #key: string;
  readonly #lease: Lease;
  readonly #execute: ExecuteCommand;
  readonly #owner = currentOwner();
  #acquired: Promise<void> | undefined;
  #lastAttempt: Promise<unknown> | undefined;
  #released: Promise<void> | undefined;
  #renewals: NodeJS.Timeout | undefined;
  /** By `performance.now()`: no other run can acquire it before. */
  #heldUntil = Number.POSITIVE_INFINITY;
  #loss: AdministrationError | undefined;

  /** @param description of Redis, for messages */
  constructor({ redis, explain }: RedisConnection, key: string, description: string) {
    this.#key = key;
    this.#lease = openLease(redis, key, LIFETIME_MILLISECONDS);
    this.#execute = withExplainedErrors(description, explain);
  }

  /**
   * Acquires the lock, and renews it until it is released. Waits up to 20 seconds for another owner. Further calls
   * return the same promise.
   *
   * @param onWaiting receives a message for each other owner
   * @throws {AdministrationError} when another owner still holds it after that time, or Redis fails
   */
  acquire(onWaiting: (message: string) => void): Promise<void> {
    this.#acquired ??= this.#waitForLock(onWaiting);
    return this.#acquired;
  }

  async #waitForLock(onWaiting: (message: string) => void): Promise<void> {
    const deadline = performance.now() + WAIT_MILLISECONDS;
    for (let last: string | undefined; ; await delay(ATTEMPT_MILLISECONDS)) {
      const other = await this.#tryAcquire();
      if (other === undefined) return;
      if (other !== last) onWaiting(`${this.#describe(other)}; waiting up to ${WAIT_MILLISECONDS / 1000} seconds`);
      if (performance.now() > deadline) throw this.#timedOut(other);
      last = other;
    }
  }

  /** @returns the value of another owner; undefined when this run holds the lock */
  async #tryAcquire(): Promise<string | undefined> {
    // A run that was interrupted while it waited must not acquire it.
    if (this.#released) throw new AdministrationError([]);
    const sentAt = performance.now();
    const attempt = this.#execute(this.#lease.acquire(this.#owner));
    this.#lastAttempt = attempt;
    const other = await attempt;
    if (other === undefined) this.#startRenewals(sentAt);
    return other;
  }

  #startRenewals(acquiredAt: number): void {
    this.#heldUntil = acquiredAt + LIFETIME_MILLISECONDS;
    let isPending = false;
    const renew = async () => {
      if (isPending) return;
      isPending = true;
      await this.#renew();
      isPending = false;
    };
    this.#renewals = setInterval(() => void renew(), RENEWAL_MILLISECONDS).unref();
  }

  async #renew(): Promise<void> {
    const sentAt = performance.now();
    try {
      const isOwned = await this.#execute(this.#lease.renew(this.#owner));
      if (isOwned) this.#heldUntil = sentAt + LIFETIME_MILLISECONDS;
      else this.#loss ??= new AdministrationError([`${this.#key} in Redis no longer belongs to this run${LOST}`]);
    } catch (error) {
      if (!(error instanceof AdministrationError)) throw error;
      this.#loss ??= error;
    }
  }

  /** @throws {AdministrationError} with the reason when the lock was lost */
  readonly requireHeld = (): void => {
    // A process that was suspended may write before its timers run.
    if (performance.now() > this.#heldUntil) this.#loss ??= this.#expired();
    if (this.#loss) throw this.#loss;
  };

  /**
   * Confirms in Redis that this run still holds the lock: only Redis knows that another run has acquired it, or that
   * its data was lost.
   *
   * @throws {AdministrationError} with the reason when the lock was lost
   */
  async confirmHeld(): Promise<void> {
    await this.#renew();
    this.requireHeld();
  }

  /** Releases the lock. Never fails, because the lock expires by itself. */
  release(): Promise<void> {
    clearInterval(this.#renewals);
    this.#heldUntil = Number.POSITIVE_INFINITY;
    this.#released ??= Promise.race([this.#releaseLease(), delay(RELEASE_MILLISECONDS, undefined, { ref: false })]);
    return this.#released;
  }

  async #releaseLease(): Promise<void> {
    if (this.#lastAttempt === undefined) return;
    try {
      await this.#lastAttempt;
      await this.#lease.release(this.#owner);
    } catch {
      // It expires soon.
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #describe(other: string): string {
    const owner = describeOwner(other);
    return owner === undefined
      ? `${this.#key} in Redis was not written by apply`
      : `another apply is running: ${owner}`;
  }

  #timedOut(other: string): AdministrationError {
    const isApply = describeOwner(other) !== undefined;
    const fix = isApply ? 'run the command again when it has ended' : 'delete that key if no apply is running';
    const waited = `waited ${WAIT_MILLISECONDS / 1000} seconds`;
    return new AdministrationError([`${this.#describe(other)}; ${waited}: ${fix}`]);
  }

  #expired(): AdministrationError {
    const reason = `${this.#key} in Redis was not renewed for ${LIFETIME_MILLISECONDS / 1000} seconds`;
    return new AdministrationError([`${reason}${OWNED_BY_ANOTHER}`]);
  }
}

const OWNED_BY_ANOTHER = ': another apply may be writing now';
const LOST = `${OWNED_BY_ANOTHER}, or Redis has lost its data`;
