import { describe, expect, test } from 'vitest';
import type { AccessToken } from '../../src/tokens/access-token.ts';
import type { AccessTokenClaims } from '../../src/tokens/access-token-claims.ts';
import { createAccessTokenVerifier, type VerifiedAccessToken } from '../../src/tokens/access-token-verifier.ts';
import { readSigningKey, type SigningKey } from '../../src/tokens/signing-key.ts';
import { countCalls } from '../support/function-calls.ts';
import { keyPair } from '../support/keys.ts';

const issuer = 'https://auth.example';
const START = 1_800_000_000;
const claims: AccessTokenClaims = {
  iss: issuer,
  sub: 'billing',
  aud: 'https://api.example',
  client_id: 'billing',
  iat: START,
  nbf: START,
  exp: START + 300,
  jti: '0190a1c2',
  scope: 'read',
  cnf: { 'x5t#S256': 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' },
};
const newKey = () =>
  readSigningKey(
    keyPair('ec-p256', { reuse: false }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    'ES256',
  );
const own = await newKey();
const token = await own.sign(claims);

/** A verifier of the keys in this list, which may change. */
const verifierOf = (keys: readonly SigningKey[], bounds = { entries: 10, bytes: 1024 * 1024 }) => {
  const findKey = (keyId: string) => keys.find((key) => key.keyId === keyId);
  const verifier = createAccessTokenVerifier({ issuer, keyring: { find: findKey }, revocations: undefined, bounds });
  return { size: () => verifier.size, verify: async (text: string, now: number) => verifier.verify(text, now) };
};

/** How often a token is decoded, which happens once for each signature that is verified. */
async function signatureVerifications(work: () => Promise<unknown>): Promise<number> {
  const calls = await countCalls(async () => void (await work()));
  const isVerification = ({ file, name }: { file: string; name: string }) =>
    file === 'src/tokens/verify-access-token.ts' && name === 'decodeSegments';
  return calls.find(isVerification)?.calls ?? 0;
}

describe('the lifetime of an access token', () => {
  test.each<[string, number, string | undefined]>([
    ['begins', START * 1000, undefined],
    ['has begun up to 5 s before nbf', START * 1000 - 5_000, undefined],
    ['has not begun more than 5 s before nbf', START * 1000 - 5_001, 'is not valid before 2027-01-15T08:00:00.000Z'],
    ['has not ended just before exp', (START + 300) * 1000 - 1, undefined],
    ['has not ended less than 5 s after exp', (START + 305) * 1000 - 1, undefined],
    ['has ended 5 s after exp', (START + 305) * 1000, 'expired at 2027-01-15T08:05:00.000Z'],
    ['has ended at any later time', Number.MAX_SAFE_INTEGER, 'expired at'],
  ])('%s', async (_, now, reason) => {
    const verifier = verifierOf([own]);
    // Once verified, and once from the cache if it was accepted.
    for (let repetition = 0; repetition < 2; repetition += 1) {
      const verification = verifier.verify(token, now);
      if (reason === undefined) await expect(verification).resolves.toMatchObject({ token: { tokenId: '0190a1c2' } });
      else await expect(verification).rejects.toThrow(reason);
    }
    expect(verifier.size().entries).toBe(reason === undefined ? 1 : 0);
  });

  test('is checked on every use of a cached token', async () => {
    const verifier = verifierOf([own]);
    await verifier.verify(token, START * 1000);
    await expect(verifier.verify(token, (START + 305) * 1000)).rejects.toThrow('expired at');
    await expect(verifier.verify(token, (START - 6) * 1000)).rejects.toThrow('is not valid before');
    await expect(verifier.verify(token, START * 1000)).resolves.toBeDefined();
  });

  test('without nbf begins before every time', async () => {
    const unlimited = await own.sign({ ...claims, nbf: undefined as never });
    await expect(verifierOf([own]).verify(unlimited, 0)).resolves.toMatchObject({ token: { notBefore: undefined } });
  });
});

describe('a verified access token', () => {
  const now = START * 1000;

  test('costs one signature verification and stays the same object', async () => {
    const verifier = verifierOf([own]);
    const verified: VerifiedAccessToken[] = [];
    const verifyTwice = async () => {
      verified.push(await verifier.verify(token, now), await verifier.verify(token, now));
    };
    expect(await signatureVerifications(verifyTwice)).toBe(1);
    expect(verified[0]).toBe(verified[1]);
    expect(await signatureVerifications(() => verifier.verify(token, now))).toBe(0);
  });

  test('costs one signature verification if its first requests arrive together', async () => {
    const verifier = verifierOf([own]);
    let verified: readonly VerifiedAccessToken[] = [];
    const verifyTogether = async () => {
      verified = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token, now)));
    };
    expect(await signatureVerifications(verifyTogether)).toBe(1);
    expect(new Set([...verified, await verifier.verify(token, now)]).size).toBe(1);
    expect(verifier.size().entries).toBe(1);
  });

  test('is rejected once its key is no longer found', async () => {
    const keys = [own];
    const verifier = verifierOf(keys);
    await verifier.verify(token, now);
    keys.length = 0;
    await expect(verifier.verify(token, now)).rejects.toThrow('no key of this server has the kid');
    keys.push(own);
    await expect(verifier.verify(token, now)).resolves.toBeDefined();
  });

  test('is verified again with the key that replaced its own under the same kid', async () => {
    const other = await newKey();
    const keys = [own];
    const verifier = verifierOf(keys);
    await verifier.verify(token, now);
    keys[0] = { ...other, keyId: own.keyId };
    await expect(verifier.verify(token, now)).rejects.toThrow('the signature is not one of the key');
  });

  test('is evicted when the cache is full, in entries and in bytes', async () => {
    const others = await Promise.all([1, 2, 3, 4].map((count) => own.sign({ ...claims, jti: `${count}` })));
    const fewEntries = verifierOf([own], { entries: 2, bytes: 1024 * 1024 });
    for (const other of others) await fewEntries.verify(other, now);
    expect(fewEntries.size().entries).toBe(2);
    const fewBytes = verifierOf([own], { entries: 100, bytes: 4 * 1024 });
    for (const other of others) await fewBytes.verify(other, now);
    expect(fewBytes.size().entries).toBeLessThan(4);
    expect(fewBytes.size().bytes).toBeLessThanOrEqual(4 * 1024);
    expect(await signatureVerifications(() => fewBytes.verify(others[0] ?? '', now))).toBe(1);
  });

  test('is not confused with a rejected one, which is never cached', async () => {
    const verifier = verifierOf([own]);
    const forged = `${token.slice(0, -4)}AAAA`;
    await expect(verifier.verify(forged, now)).rejects.toThrow('the signature is not one of the key');
    await expect(verifier.verify(token, now)).resolves.toBeDefined();
    await expect(verifier.verify(forged, now)).rejects.toThrow('the signature is not one of the key');
    expect(verifier.size().entries).toBe(1);
  });
});

describe('the revocation of an access token', () => {
  const now = START * 1000;

  /** A verifier whose revocations are asked for by these functions, in turn. */
  function verifierWith(outcomes: readonly (() => string | undefined | Promise<string | undefined>)[]) {
    const asked: AccessToken[] = [];
    const check = (asking: AccessToken) => outcomes[asked.push(asking) - 1]?.();
    const keyring = { find: () => own };
    return { asked, verifier: createAccessTokenVerifier({ issuer, keyring, revocations: { check } }) };
  }

  test('is checked on every use of a cached token, which is no promise unless Redis is asked', async () => {
    const reason = 'is revoked';
    const { asked, verifier } = verifierWith([
      () => undefined,
      () => undefined,
      async () => undefined,
      () => reason,
      async () => reason,
      () => undefined,
    ]);
    const first = await verifier.verify(token, now);
    expect(verifier.verify(token, now)).toBe(first);
    const looksUp = verifier.verify(token, now);
    expect(looksUp).toBeInstanceOf(Promise);
    expect(await looksUp).toBe(first);
    expect(() => verifier.verify(token, now)).toThrow(expect.objectContaining({ message: reason }));
    await expect(verifier.verify(token, now)).rejects.toThrow(expect.objectContaining({ message: reason }));
    expect(verifier.verify(token, now)).toBe(first);
    expect(new Set(asked)).toEqual(new Set([first.token]));
  });

  test('is checked after the first verification, whose token the reason contains', async () => {
    const { verifier } = verifierWith([() => 'is revoked', () => undefined]);
    await expect(verifier.verify(token, now)).rejects.toMatchObject({
      message: 'is revoked',
      token: { tokenId: '0190a1c2' },
    });
    expect((await verifier.verify(token, now)).token.tokenId).toBe('0190a1c2');
  });

  test('is not checked for a token that is rejected for another reason', async () => {
    const { asked, verifier } = verifierWith([]);
    await expect(verifier.verify(`${token.slice(0, -4)}AAAA`, now)).rejects.toThrow('the signature is not');
    await expect(verifier.verify(token, now + 400_000)).rejects.toThrow('expired at');
    expect(asked).toEqual([]);
  });

  test('leaves an error of Redis as it is', async () => {
    const failure = new Error('unknown');
    const { verifier } = verifierWith([() => Promise.reject(failure), () => Promise.reject(failure)]);
    await expect(verifier.verify(token, now)).rejects.toBe(failure);
    await expect(verifier.verify(token, now)).rejects.toBe(failure);
  });
});
