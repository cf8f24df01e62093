import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { OAuthError } from '../../src/oauth/oauth-error.ts';
import type { AccessTokenClaims } from '../../src/tokens/access-token-claims.ts';
import { withBoundedQueue } from '../../src/tokens/signature-queue.ts';
import { readSigningKey } from '../../src/tokens/signing-key.ts';
import { openssl } from '../support/openssl.ts';

// Only its serialization matters to a signer.
const claims = { iss: 'https://auth.example' } as AccessTokenClaims;
const MAX_QUEUE_DELAY = 100;
/** More than the queue that is never rejected. */
const LONG_QUEUE = 51;

/** A key with a queue of signatures that the test completes, the oldest first. */
async function slowKey(maxQueueDelay = MAX_QUEUE_DELAY) {
  const key = await readSigningKey(await openssl(['genpkey', '-algorithm', 'ed25519']), undefined);
  const signatures: PromiseWithResolvers<string>[] = [];
  const sign = () => {
    const signature = Promise.withResolvers<string>();
    signatures.push(signature);
    return signature.promise;
  };
  const complete = async () => {
    signatures.shift()?.resolve('token');
    await delay(0);
  };
  const slow = { ...key, sign, signIntrospectionResponse: sign };
  return { ...withBoundedQueue(slow, maxQueueDelay), signatures, complete };
}

test('no signature is started while the oldest one is late, and afterwards they are again', async () => {
  const { sign, signatures, complete } = await slowKey();
  const started = Array.from({ length: LONG_QUEUE }, () => sign(claims));
  await delay(MAX_QUEUE_DELAY);
  expect(() => sign(claims)).toThrow(expect.objectContaining({ code: 'signing_overloaded' }));
  expect(() => sign(claims)).toThrow(/^overloaded: signatures are pending \(51\), the oldest for \d+ ms$/);
  expect(signatures).toHaveLength(LONG_QUEUE);
  for (const _ of started) await complete();
  expect(new Set(await Promise.all(started))).toEqual(new Set(['token']));
  const next = sign(claims);
  await complete();
  expect(await next).toBe('token');
});

test('an introspection response is not signed while a token is late', async () => {
  const { sign, signIntrospectionResponse, complete } = await slowKey();
  const response = { iss: 'https://auth.example', aud: 'caller', iat: 0, token_introspection: { active: false } };
  const started = Array.from({ length: LONG_QUEUE }, () => sign(claims));
  await delay(MAX_QUEUE_DELAY);
  expect(() => signIntrospectionResponse(response)).toThrow(/^overloaded: signatures are pending \(51\)/);
  for (const _ of started) await complete();
  const signed = signIntrospectionResponse(response);
  await complete();
  expect(await signed).toBe('token');
});

test('a short queue of signatures is never rejected', async () => {
  const { sign } = await slowKey();
  for (let count = 1; count < LONG_QUEUE; count++) void sign(claims);
  await delay(MAX_QUEUE_DELAY);
  expect(() => sign(claims)).not.toThrow();
});

test('a burst of signatures is started, however many they are', async () => {
  const { sign, signatures } = await slowKey(60_000);
  for (let count = 0; count < 10_000; count++) void sign(claims);
  expect(signatures).toHaveLength(10_000);
});

test('a late signature that fails no longer blocks others', async () => {
  const { sign, signatures } = await slowKey();
  const [first] = Array.from({ length: LONG_QUEUE }, () => Promise.resolve(sign(claims)));
  await delay(MAX_QUEUE_DELAY);
  expect(() => sign(claims)).toThrow(OAuthError);
  signatures[0]?.reject(new Error('out of memory'));
  await expect(first).rejects.toThrow('out of memory');
  expect(() => sign(claims)).not.toThrow();
});

test('a signature that is computed at once is never rejected', async () => {
  const key = await readSigningKey(await openssl(['genpkey', '-algorithm', 'ed25519']), undefined);
  const { sign } = withBoundedQueue(key, Number.MIN_VALUE);
  for (let count = 0; count < 3; count++) expect(sign(claims)).toEqual(expect.any(String));
});
