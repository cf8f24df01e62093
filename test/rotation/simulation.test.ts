import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CLOCK_TOLERANCE_MILLISECONDS as CLOCKS,
  KEY_RETENTION_MILLISECONDS,
} from '../../src/tokens/keyring/key-policy.ts';
import { type Plan, simulate, TOKEN_LIFETIME } from './simulation.ts';
import {
  configurationManagerCache,
  fixedIntervalCache,
  type JwksAccess,
  jwtAuthnCache,
  type KeyFinder,
  remoteJwkSetCache,
} from './verifier-caches.ts';

const RUNS = 60;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** `max-age` of the JWKS. */
const HTTP_MAX_AGE = 5 * MINUTE;
const LONGEST_POLL = MINUTE;
/** What a verifier's cache must be shorter by than the time for which a key is published before it signs. */
const MARGIN = CLOCKS + HTTP_MAX_AGE + LONGEST_POLL;

/** Each with a parameter: the longest time for which it caches the JWKS. */
const verifierCaches: readonly {
  readonly name: string;
  readonly cache: (access: JwksAccess<string>, longest: number) => KeyFinder<string>;
}[] = [
  { name: 'jwt_authn', cache: (access, longest) => jwtAuthnCache(access, { cacheDuration: longest }) },
  { name: 'fixed interval', cache: (access, longest) => fixedIntervalCache(access, { interval: longest }) },
  {
    name: 'ConfigurationManager',
    cache: (access, longest) => {
      const automaticRefreshInterval = longest / 1.05;
      const jitter = longest - automaticRefreshInterval;
      return configurationManagerCache(access, { automaticRefreshInterval, jitter, refreshInterval: 5 * MINUTE });
    },
  },
  {
    name: 'createRemoteJWKSet',
    cache: (access, longest) => remoteJwkSetCache(access, { cacheMaxAge: longest, cooldownDuration: MINUTE / 2 }),
  },
];

const commands = ['rotate', 'rotate now'] as const;

interface Conditions {
  /** By how much the longest cache is shorter than publish-ahead. */
  readonly margin: number;
  readonly retention: number;
  /** By how much two clocks may differ. */
  readonly clocks: number;
  /** What operators do. */
  readonly commands: readonly (typeof commands)[number][];
}

const automatic: Conditions = { margin: MARGIN, retention: KEY_RETENTION_MILLISECONDS, clocks: CLOCKS, commands: [] };
/** The tolerance is also for the time until a server has read that its key is to sign no longer. */
const byCommand: Conditions = { ...automatic, clocks: CLOCKS - LONGEST_POLL, commands };

function plans({ margin, retention, clocks, commands }: Conditions): fc.Arbitrary<Plan> {
  const step = fc.record({
    wait: fc.oneof(fc.nat(HOUR), fc.nat(2 * DAY)),
    event: fc.constantFrom('issue', 'issue', 'issue', 'kill', 'restart', ...commands),
    replica: fc.nat(2),
  });
  const clock = fc.oneof(fc.constantFrom(0, clocks), fc.nat(clocks));
  const periods = { publishAhead: fc.integer({ min: MARGIN, max: DAY }), furtherRotation: fc.nat(3 * DAY) };
  return fc
    .record({ ...periods, cached: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })) })
    .chain((chosen) => {
      const { publishAhead, furtherRotation, cached } = chosen;
      const longest = (publishAhead - margin) * cached;
      const rotation = publishAhead + retention + furtherRotation;
      const verifier = ({ name, cache }: (typeof verifierCaches)[number]) =>
        fc.record({
          name: fc.constant(name),
          cache: fc.constant((access: JwksAccess<string>) => cache(access, longest)),
          clock,
          httpMaxAge: fc.constantFrom(0, HTTP_MAX_AGE),
        });
      const replica = fc.record({ clock, pollLag: fc.nat(LONGEST_POLL) });
      return fc.record({
        policy: fc.constant({ publishAhead, rotation, retention, clockTolerance: CLOCKS }),
        redisClock: clock,
        replicas: fc.tuple(replica, replica, replica),
        verifiers: fc.tuple(...verifierCaches.map(verifier)),
        maintenanceDelay: fc.nat(2 * MINUTE),
        steps: fc.array(step, { minLength: 10, maxLength: 40 }),
        responders: fc.array(fc.nat(2), { minLength: 1, maxLength: 20 }),
      });
    });
}

/** The verifiers that reject tokens under these conditions, by name. */
async function verifiersThatReject(conditions: Conditions): Promise<readonly string[]> {
  const rejecting = new Set<string>();
  const property = fc.asyncProperty(plans(conditions), async (plan) => {
    for (const { verifier } of (await simulate(plan)).unverifiable) rejecting.add(verifier);
  });
  // The same plans each time: others may be too kind.
  await fc.assert(property, { numRuns: RUNS, seed: 15 });
  return [...rejecting].sort();
}

describe('rotation', () => {
  test.each([
    ['leaves no token unverifiable for caches shorter than publish-ahead', automatic],
    ['by command leaves no token unverifiable, either', byCommand],
  ])('%s', async (_, conditions) => {
    let [verifications, rotations] = [0, 0];
    const property = fc.asyncProperty(plans(conditions), async (plan) => {
      const result = await simulate(plan);
      verifications += result.verifications;
      rotations += result.signingKeys - 1;
      expect(result.unverifiable).toEqual([]);
    });
    await fc.assert(property, { numRuns: RUNS });
    // Otherwise the property holds because nothing has happened.
    expect(verifications).toBeGreaterThan(1_000 * RUNS);
    expect(rotations).toBeGreaterThan(RUNS);
  });

  test('leaves tokens unverifiable for longer caches, unless an unknown key ends them', async () => {
    const rejecting = await verifiersThatReject({ ...byCommand, margin: -HOUR });
    expect(rejecting).toEqual(expect.arrayContaining(['ConfigurationManager', 'fixed interval', 'jwt_authn']));
  });

  test('leaves tokens unverifiable if retired keys are removed with the last token', async () => {
    expect(await verifiersThatReject({ ...byCommand, retention: TOKEN_LIFETIME })).not.toEqual([]);
  });

  test('leaves tokens unverifiable if clocks differ by more than the tolerance', async () => {
    expect(await verifiersThatReject({ ...byCommand, clocks: 3 * CLOCKS })).not.toEqual([]);
  });
});
