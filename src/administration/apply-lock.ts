import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type Lease, openLease } from '../redis/commands/lease.ts';
import type { RedisConnection } from '../redis/connection.ts';
import { abbreviate, printable } from '../text.ts';
import { AdministrationError } from './administration-error.ts';
import { type ExecuteCommand, withExplainedErrors } from './record-store.ts';

/** What a process that was killed holds is free again after so long. */
const LIFETIME_MILLISECONDS = 15_000;
const RENEWAL_MILLISECONDS = 5_000;
/** Longer than that: who comes after one that was killed gets it. */
const WAIT_MILLISECONDS = 20_000;
const ATTEMPT_MILLISECONDS = 250;
/** A Redis that does not answer keeps nobody from leaving. */
const RELEASE_MILLISECONDS = 1_000;

/** Whose turn it is to apply: two at once would not see what the other one is about to write. */
export class ApplyLock {
  readonly #key: string;
  readonly #lease: Lease;
  readonly #ask: ExecuteCommand;
  readonly #own = currentOwner();
  #taken: Promise<void> | undefined;
  #taking: Promise<unknown> = Promise.resolve();
  #released: Promise<void> | undefined;
  #renewals: NodeJS.Timeout | undefined;
  /** By `performance.now()`: nobody else can have it before. */
  #heldUntil = Number.POSITIVE_INFINITY;
  #problem: AdministrationError | undefined;

  /** @param description of Redis, for messages */
  constructor({ redis, explain }: RedisConnection, key: string, description: string) {
    this.#key = key;
    this.#lease = openLease(redis, key, LIFETIME_MILLISECONDS);
    this.#ask = withExplainedErrors(description, explain);
  }

  /**
   * Takes it, once, and has it until it is released. Waits for another who has it, up to 20 seconds.
   *
   * @param onWaiting told in words for whom, once for each
   * @throws {AdministrationError} where the other one does not end in that time, or Redis fails
   */
  acquire(onWaiting: (why: string) => void): Promise<void> {
    this.#taken ??= this.#await(onWaiting);
    return this.#taken;
  }

  async #await(onWaiting: (why: string) => void): Promise<void> {
    const deadline = performance.now() + WAIT_MILLISECONDS;
    for (let last: string | undefined; ; await delay(ATTEMPT_MILLISECONDS)) {
      const other = await this.#try();
      if (other === undefined) return;
      if (other !== last) onWaiting(`${this.#describe(other)}; waiting up to ${WAIT_MILLISECONDS / 1000} seconds`);
      if (performance.now() > deadline) throw this.#isKept(other);
      last = other;
    }
  }

  async #try(): Promise<string | undefined> {
    // Whoever was interrupted while he waited wants it no more.
    if (this.#released) throw new AdministrationError([]);
    const asked = performance.now();
    const taking = this.#ask(this.#lease.acquire(this.#own));
    this.#taking = taking;
    const other = await taking;
    if (other === undefined) this.#hold(asked);
    return other;
  }

  #hold(since: number): void {
    this.#heldUntil = since + LIFETIME_MILLISECONDS;
    let isAsked = false;
    const renew = async () => {
      if (isAsked) return;
      isAsked = true;
      await this.#renew();
      isAsked = false;
    };
    this.#renewals = setInterval(() => void renew(), RENEWAL_MILLISECONDS).unref();
  }

  async #renew(): Promise<void> {
    const asked = performance.now();
    try {
      const isOwn = await this.#ask(this.#lease.renew(this.#own));
      if (isOwn) this.#heldUntil = asked + LIFETIME_MILLISECONDS;
      else this.#problem ??= new AdministrationError([`${this.#key} in Redis is not this run's any more${LOST}`]);
    } catch (error) {
      if (!(error instanceof AdministrationError)) throw error;
      this.#problem ??= error;
    }
  }

  /** @throws {AdministrationError} where it was lost, with the reason */
  readonly requireHeld = (): void => {
    // A process that was stopped for a while writes before its timers tell it.
    if (performance.now() > this.#heldUntil) this.#problem ??= this.#isOver();
    if (this.#problem) throw this.#problem;
  };

  /**
   * Asks Redis whether it still is this run's: only there can be seen that another has taken it, or that all is gone.
   *
   * @throws {AdministrationError} where it was lost, with the reason
   */
  async confirmHeld(): Promise<void> {
    await this.#renew();
    this.requireHeld();
  }

  /** Lets the next one have it. Never fails: it ends by itself. */
  release(): Promise<void> {
    clearInterval(this.#renewals);
    this.#heldUntil = Number.POSITIVE_INFINITY;
    this.#released ??= Promise.race([this.#giveBack(), delay(RELEASE_MILLISECONDS, undefined, { ref: false })]);
    return this.#released;
  }

  async #giveBack(): Promise<void> {
    try {
      await this.#taking;
      await this.#lease.release(this.#own);
    } catch {
      // It is nobody's soon.
    }
  }

  #describe(other: string): string {
    const holder = describeOwner(other);
    return holder === undefined ? `${this.#key} in Redis is what no apply wrote` : `another apply runs: ${holder}`;
  }

  #isKept(other: string): AdministrationError {
    const isKnown = describeOwner(other) !== undefined;
    const mend = isKnown ? 'run the command again when it has ended' : 'delete that key, where nobody applies';
    const how = `waited ${WAIT_MILLISECONDS / 1000} seconds, nothing was written`;
    return new AdministrationError([`${this.#describe(other)}; ${how}: ${mend}`]);
  }

  #isOver(): AdministrationError {
    const how = `${this.#key} in Redis was not renewed for ${LIFETIME_MILLISECONDS / 1000} seconds`;
    return new AdministrationError([`${how}${HELD_BY_ANOTHER}`]);
  }
}

const HELD_BY_ANOTHER = ': another apply may write now';
const LOST = `${HELD_BY_ANOTHER}, or Redis has lost what it held`;

/** Who holds the lease: what stands at its key. The token makes it this run's alone; it is no secret. */
interface LockOwner {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly token: string;
}

/** The value of the key for a run of this process that begins now, JSON. */
export function currentOwner(): string {
  const began = new Date().toISOString();
  const holder: LockOwner = { host: hostname(), pid: process.pid, startedAt: began, token: randomUUID() };
  return JSON.stringify(holder);
}

/** Who holds it, in words; undefined where something else stands at the key, which anybody may have written. */
export function describeOwner(text: string): string | undefined {
  const { host, pid, startedAt } = fieldsOf(text);
  if (typeof host !== 'string' || typeof pid !== 'number' || typeof startedAt !== 'string') return undefined;
  return printable(abbreviate(`process ${pid} on ${host}, since ${startedAt}`));
}

function fieldsOf(text: string): Partial<Record<keyof LockOwner, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
