import type { RotationPolicy } from '../../src/tokens/keyring/key-policy.ts';
import { keyPhases } from '../../src/tokens/keyring/lifecycle.ts';
import {
  createdKeyring,
  maintained,
  missingNextKeys,
  rotated,
  withoutKey,
} from '../../src/tokens/keyring/redis/changes.ts';
import type { SealedKey, StoredKey, StoredKeyring } from '../../src/tokens/keyring/redis/stored-keyring.ts';
import type { JwksAccess, KeyFinder, PublishedKeys } from './verifier-caches.ts';

/** All times are in milliseconds; those of the simulation count from its beginning. */
export interface Plan {
  readonly policy: RotationPolicy;
  /** By how much the clock of Redis is ahead. */
  readonly redisClock: number;
  readonly replicas: readonly SimulatedReplica[];
  readonly verifiers: readonly SimulatedVerifier[];
  /** How long after a transition a replica maintains the keyring. */
  readonly maintenanceDelay: number;
  readonly steps: readonly Step[];
  /** Which replica responds to each fetch of the JWKS, modulo the number of those that run. */
  readonly responders: readonly number[];
}

interface SimulatedReplica {
  readonly clock: number;
  /** How old the keyring that it has read may be. */
  readonly pollLag: number;
}

interface SimulatedVerifier {
  readonly name: string;
  readonly clock: number;
  /** `max-age` of an HTTP cache between it and the server, which it shares with other verifiers; 0 for none. */
  readonly httpMaxAge: number;
  readonly cache: (access: JwksAccess<string>) => KeyFinder<string>;
}

/** What happens after waiting. */
interface Step {
  readonly wait: number;
  readonly event: 'issue' | 'kill' | 'restart' | 'rotate' | 'rotate now';
  /** Modulo the number of replicas. */
  readonly replica: number;
}

/** A verifier has rejected a token before its expiry. */
interface UnverifiableToken {
  readonly verifier: string;
  readonly keyId: string;
  readonly at: number;
}

export interface SimulationResult {
  /** How many verifications there were, and how many keys have signed. */
  readonly verifications: number;
  readonly signingKeys: number;
  readonly unverifiable: readonly UnverifiableToken[];
}

interface SimulatedToken {
  readonly keyId: string;
  readonly expiresAt: number;
}

/** The longest that a record may have. */
export const TOKEN_LIFETIME = 24 * 3_600_000;

/**
 * Simulates replicas that follow one stored keyring, with the functions of the server that change it and derive the state of
 * keys, and verifiers that cache its JWKS. Each replica issues tokens at the steps of the plan, just before and after each
 * moment at which its signing key changes, and before each change of the keyring; each verifier verifies a token at once,
 * and until its last millisecond.
 */
export async function simulate(plan: Plan): Promise<SimulationResult> {
  const { policy, redisClock, replicas } = plan;
  const agenda = openAgenda();
  const unverifiable: UnverifiableToken[] = [];
  const signingKeys = new Set<string>();
  const withdrawn = new Set<string>();
  const running = new Set(replicas.keys());
  let verifications = 0;
  let createdKeys = 0;
  const newKey = (): SealedKey => {
    createdKeys += 1;
    return { keyId: `key-${createdKeys}`, algorithm: 'ES256', publicJwk: {}, sealed: '' };
  };

  /** The versions of the keyring, the newest last, and when each was stored. */
  const versions = [{ at: Number.NEGATIVE_INFINITY, keyring: createdKeyring('id', newKey(), redisClock) }];
  const stored = () => (versions.at(-1) as (typeof versions)[number]).keyring;
  const heldBy = ({ pollLag }: SimulatedReplica) =>
    versions.findLast(({ at }) => at <= agenda.now() - pollLag)?.keyring ?? stored();
  const phasesOf = (replica: SimulatedReplica) =>
    keyPhases(heldBy(replica).keys, policy.retention, agenda.now() + replica.clock);

  const store = (keyring: StoredKeyring) => {
    if (keyring === stored()) return;
    versions.push({ at: agenda.now(), keyring });
    for (const { until } of keyPhases(keyring.keys, policy.retention, agenda.now() + redisClock)) {
      if (until === Number.POSITIVE_INFINITY) continue;
      agenda.at(until - redisClock + plan.maintenanceDelay, maintain);
      for (const [index, { clock }] of replicas.entries())
        for (const moment of [-1, 0, 1]) agenda.at(until - clock + moment, () => issue(index));
    }
  };
  const maintain = async () => {
    // A verifier may fetch the JWKS just before a key is published.
    for (const index of running) await issue(index);
    const now = agenda.now() + redisClock;
    store(maintained(stored(), missingNextKeys(stored(), now).map(newKey), policy, now));
  };

  let fetches = 0;
  const fetchPublished = (): PublishedKeys<string> => {
    const available = [...running].map((index) => replicas[index] as SimulatedReplica);
    const responder = plan.responders[fetches++ % plan.responders.length] ?? 0;
    const phases = phasesOf(available[responder % available.length] as SimulatedReplica);
    return new Map(phases.filter(({ state }) => state !== 'expired').map(({ key: { keyId } }) => [keyId, keyId]));
  };
  let httpCache = { at: Number.NEGATIVE_INFINITY, keys: fetchPublished() };
  const fetchThroughCache = (maxAge: number) => {
    if (agenda.now() - httpCache.at >= maxAge) httpCache = { at: agenda.now(), keys: fetchPublished() };
    return httpCache.keys;
  };
  const verifiers = plan.verifiers.map(({ name, clock, httpMaxAge, cache }) => ({
    name,
    clock,
    find: cache({ now: () => agenda.now() + clock, fetchKeys: async () => fetchThroughCache(httpMaxAge) }),
  }));

  const verify = async (verifier: (typeof verifiers)[number], { keyId, expiresAt }: SimulatedToken) => {
    if (agenda.now() + verifier.clock >= expiresAt || withdrawn.has(keyId)) return;
    verifications += 1;
    const key = await verifier.find(keyId);
    if (key === undefined) unverifiable.push({ verifier: verifier.name, keyId, at: agenda.now() });
  };
  const issue = async (index: number) => {
    if (!running.has(index)) return;
    const replica = replicas[index] as SimulatedReplica;
    const signing = phasesOf(replica).find(({ state }) => state === 'signing')?.key;
    if (!signing) return;
    signingKeys.add(signing.keyId);
    const token = { keyId: signing.keyId, expiresAt: agenda.now() + replica.clock + TOKEN_LIFETIME };
    for (const verifier of verifiers) {
      await verify(verifier, token);
      for (const left of [TOKEN_LIFETIME / 2, 1])
        agenda.at(token.expiresAt - verifier.clock - left, () => verify(verifier, token));
    }
  };
  /** By command, as soon as the next key has been published for long enough. */
  const rotate = (change: (keyring: StoredKeyring, signing: StoredKey, now: number) => StoredKeyring) => {
    const now = agenda.now() + redisClock;
    const phases = keyPhases(stored().keys, policy.retention, now);
    const [signing, next] = ['signing', 'next'].map((state) => phases.find((phase) => phase.state === state)?.key);
    if (!signing || !next) return;
    const readyAt = next.publishedAt + policy.publishAhead;
    if (readyAt > now) {
      agenda.at(readyAt - redisClock, () => rotate(change));
      return;
    }
    store(change(stored(), signing, now));
    agenda.at(agenda.now() + plan.maintenanceDelay, maintain);
  };
  const rotateNow = () =>
    rotate((keyring, { keyId }, now) => {
      withdrawn.add(keyId);
      return withoutKey(keyring, keyId, now);
    });
  const rotateSoon = () => rotate((keyring, { algorithm }, now) => rotated(keyring, algorithm, policy, now));

  store(maintained(stored(), missingNextKeys(stored(), redisClock).map(newKey), policy, redisClock));
  let time = 0;
  for (const { wait, event, replica } of plan.steps) {
    time += wait;
    const index = replica % replicas.length;
    agenda.at(time, async () => {
      if (event === 'issue') await issue(index);
      else if (event === 'kill' && running.size > 1) running.delete(index);
      else if (event === 'restart') running.add(index);
      else if (event === 'rotate') rotateSoon();
      else if (event === 'rotate now') rotateNow();
    });
  }
  await agenda.runUntil(time + TOKEN_LIFETIME);
  return { verifications, signingKeys: signingKeys.size, unverifiable };
}

/** Runs actions in the order of their times. */
function openAgenda() {
  let time = 0;
  const entries: { readonly at: number; readonly run: () => unknown }[] = [];
  return {
    now: () => time,
    at: (at: number, run: () => unknown) => {
      if (at < time) return;
      const index = entries.findIndex((entry) => entry.at > at);
      entries.splice(index < 0 ? entries.length : index, 0, { at, run });
    },
    runUntil: async (end: number) => {
      for (let next = entries.shift(); next && next.at <= end; next = entries.shift()) {
        time = next.at;
        await next.run();
      }
    },
  };
}
