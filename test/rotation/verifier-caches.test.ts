import { generateKeyPairSync } from 'node:crypto';
import { createRemoteJWKSet, customFetch, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import {
  configurationManagerCache,
  fixedIntervalCache,
  type JwksAccess,
  jwtAuthnCache,
  type KeyFinder,
  remoteJwkSetCache,
} from './verifier-caches.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** A JWKS in which keys appear, a clock, and the number of fetches so far. */
function publisher() {
  let time = 0;
  let keys: readonly string[] = ['first'];
  let fetches = 0;
  const access: JwksAccess<string> = {
    now: () => time,
    fetchKeys: async () => {
      fetches += 1;
      return new Map(keys.map((key) => [key, key]));
    },
  };
  return {
    access,
    wait: (milliseconds: number) => {
      time += milliseconds;
    },
    publish: (...published: readonly string[]) => {
      keys = published;
    },
    fetches: () => fetches,
  };
}

describe('jwt_authn', () => {
  test('fetches for the first token and when the duration is over, and never for an unknown key', async () => {
    const { access, wait, publish, fetches } = publisher();
    const find = jwtAuthnCache(access, { cacheDuration: 600 * SECOND });
    expect(await find('first')).toBe('first');
    publish('first', 'second');
    wait(600 * SECOND - 1);
    expect([await find('second'), await find('first'), fetches()]).toEqual([undefined, 'first', 1]);
    wait(1);
    expect([await find('second'), fetches()]).toEqual(['second', 2]);
  });
});

describe('a gateway with a fixed interval', () => {
  test('rejects an unknown key until the interval is over', async () => {
    const { access, wait, publish } = publisher();
    const find = fixedIntervalCache(access, { interval: HOUR });
    await find('first');
    publish('second');
    expect([await find('first'), await find('second')]).toEqual(['first', undefined]);
    wait(HOUR);
    expect([await find('first'), await find('second')]).toEqual([undefined, 'second']);
  });
});

describe('ConfigurationManager', () => {
  const options = { automaticRefreshInterval: 12 * HOUR, jitter: HOUR, refreshInterval: 300 * SECOND };

  test('fetches after its interval and the jitter', async () => {
    const { access, wait, fetches } = publisher();
    const find = configurationManagerCache(access, options, () => 0.5);
    await find('first');
    wait(12.5 * HOUR - 1);
    await find('first');
    expect(fetches()).toBe(1);
    wait(1);
    await find('first');
    expect(fetches()).toBe(2);
  });

  test('rejects the token with an unknown key, and fetches for the next one', async () => {
    const { access, publish } = publisher();
    const find = configurationManagerCache(access, options);
    await find('first');
    publish('first', 'second');
    expect([await find('second'), await find('second')]).toEqual([undefined, 'second']);
  });

  test('fetches for unknown keys only every five minutes', async () => {
    const { access, wait, fetches } = publisher();
    const find = configurationManagerCache(access, options);
    for (const key of ['first', 'unknown', 'unknown', 'unknown']) await find(key);
    expect(fetches()).toBe(2);
    wait(300 * SECOND);
    for (const key of ['unknown', 'unknown', 'unknown']) await find(key);
    expect(fetches()).toBe(3);
  });
});

describe('the model of createRemoteJWKSet', () => {
  const jwks = ['first', 'second'].map((kid): JWK => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return { ...publicKey.export({ format: 'jwk' }), alg: 'ES256', kid };
  });

  /** What the original finds, and how often it has fetched by then. */
  function original(options: { cacheMaxAge: number; cooldownDuration: number }) {
    let keys = jwks.slice(0, 1);
    let fetches = 0;
    const find = createRemoteJWKSet(new URL('https://auth.example/jwks'), {
      ...options,
      [customFetch]: async () => {
        fetches += 1;
        return Response.json({ keys });
      },
    });
    return {
      find: (kid: string) =>
        find({ alg: 'ES256', kid }).then(
          () => kid,
          () => undefined,
        ),
      publishSecond: () => {
        keys = jwks;
      },
      fetches: () => fetches,
    };
  }

  // No row depends on how long the test takes.
  test.each([
    ['cached and cooling down', { cacheMaxAge: Infinity, cooldownDuration: Infinity }],
    ['cached and not cooling down', { cacheMaxAge: Infinity, cooldownDuration: 0 }],
    ['not cached and cooling down', { cacheMaxAge: 0, cooldownDuration: Infinity }],
    ['not cached and not cooling down', { cacheMaxAge: 0, cooldownDuration: 0 }],
  ])('finds the same keys with the same fetches as the original while %s', async (_, options) => {
    const real = original(options);
    const { access, publish, fetches } = publisher();
    const model: KeyFinder<string> = remoteJwkSetCache(access, options);
    const both = async (kid: string) => {
      expect([await model(kid), fetches()]).toEqual([await real.find(kid), real.fetches()]);
    };
    await both('first');
    await both('second');
    real.publishSecond();
    publish('first', 'second');
    for (const kid of ['first', 'second', 'unknown', 'second']) await both(kid);
  });
});
