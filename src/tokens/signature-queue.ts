import { type OAuthError, temporarilyUnavailable } from '../oauth/oauth-error.ts';
import type { SigningKey } from './signing-key.ts';

/** A queue as short as this is never rejected: the machine may have been busy for a moment. */
const MIN_QUEUE_LENGTH = 50;

/**
 * Bounds the queue of the thread pool, in which slow algorithms sign: while the oldest signature is late, the key starts
 * no other.
 *
 * @param maxQueueDelay milliseconds
 * @returns a key that throws `OAuthError` temporarily_unavailable instead
 */
export function withBoundedQueue(key: SigningKey, maxQueueDelay: number): SigningKey {
  /** The oldest first. */
  const pending = new Set<{ readonly started: number }>();
  const inQueue = <Claims>(sign: (claims: Claims) => string | Promise<string>) => {
    return (claims: Claims) => {
      const started = performance.now();
      const oldest = pending.values().next().value ?? { started };
      const age = started - oldest.started;
      // While the oldest one waited, the queue behind it grew: at twice the rate that is possible, to twice its length.
      if (age > maxQueueDelay / 2 && pending.size > MIN_QUEUE_LENGTH) throw overloaded(age, pending.size);
      const signature = sign(claims);
      if (typeof signature === 'string') return signature;
      const entry = { started };
      pending.add(entry);
      return signature.finally(() => pending.delete(entry));
    };
  };
  return {
    ...key,
    sign: inQueue(key.sign),
    signIntrospectionResponse: inQueue(key.signIntrospectionResponse),
  };
}

function overloaded(age: number, count: number): OAuthError {
  const reason = `overloaded: signatures are pending (${count}), the oldest for ${Math.round(age)} ms`;
  return temporarilyUnavailable('signing_overloaded', reason, 1);
}
