import type { Client } from './client.ts';
import {
  type Identity,
  identityKey,
  type RegisteredIdentity,
  spiffeIdentity,
  type ValidityPeriod,
} from './identities.ts';
import { methodOf, type Registration, spiffePatternOf } from './methods/methods.ts';
import type { RegistrationPolicy } from './registration-policy.ts';
import { overlapOf, parseSpiffePattern, type SpiffePattern } from './spiffe-pattern.ts';

/** Every registration of a client; several may have the same identity. */
export function registeredIdentitiesOf({
  registrations,
}: Pick<Client, 'registrations'>): readonly RegisteredIdentity[] {
  return registrations.flatMap(registeredIdentityOf);
}

function registeredIdentityOf(registration: Registration): readonly RegisteredIdentity[] {
  const method = methodOf(registration);
  if (!method) return [];
  const identity = method.identity(registration);
  const { notBefore, notAfter } = registration;
  return [
    {
      key: identityKey(identity),
      identity,
      notBefore,
      notAfter,
      certificateKeys: method.certificateKeys(registration),
      caPins: method.caPins(registration),
      requiresChain: method.requiresChain,
    },
  ];
}

/** What a client is registered by. A certificate with one of these may be this client's; its record decides. */
export function identitiesOf(client: Pick<Client, 'registrations'>): readonly Identity[] {
  const byKey = new Map(registeredIdentitiesOf(client).map(({ key, identity }) => [key, identity]));
  return [...byKey.values()];
}

/** The keys of what a client is registered by. */
export function registeredKeys(client: Client): readonly string[] {
  return [...new Set(registeredIdentitiesOf(client).map(({ key }) => key))];
}

/**
 * The keys of all other identities of the certificates that a record contains: another client could be registered by
 * them.
 */
export function unregisteredCertificateKeys(client: Client): readonly string[] {
  const identities = registeredIdentitiesOf(client);
  const keys = new Set(identities.flatMap(({ certificateKeys }) => certificateKeys));
  for (const { key } of identities) keys.delete(key);
  return [...keys];
}

/**
 * Whether one certificate could, now or later, authenticate either of two clients.
 *
 * This is so if they share an identity, or if one is registered by an identity of a certificate that the record of the
 * other contains, or if their patterns of SPIFFE IDs overlap; unless both are pinned to different anchors, or one
 * registration ends before the other begins. A pattern does not share what a more specific one has precedence over.
 *
 * @param now milliseconds since the epoch
 * @returns an identity that belongs to both
 */
export function sharedIdentity(
  one: Client,
  other: Client,
  policy: Pick<RegistrationPolicy, 'anchors'>,
  now: number,
): Identity | undefined {
  const remaining = (client: Client) =>
    registeredIdentitiesOf(client).filter(({ notAfter = Infinity }) => now <= notAfter);
  return (
    commonIdentity(remaining(one), remaining(other), policy) ??
    commonIdentity(remaining(other), remaining(one), policy) ??
    commonSpiffeIds(spiffePatternOf(one.registrations), spiffePatternOf(other.registrations))
  );
}

function commonSpiffeIds(one: SpiffePattern | undefined, other: SpiffePattern | undefined): Identity | undefined {
  const overlap = one && other && overlapOf(one, other);
  return overlap === undefined ? undefined : spiffeIdentity(parseSpiffePattern(overlap));
}

/** One of `identities` that also belongs to a certificate of the others, at a time when both are effective. */
function commonIdentity(
  identities: readonly RegisteredIdentity[],
  others: readonly RegisteredIdentity[],
  policy: Pick<RegistrationPolicy, 'anchors'>,
): Identity | undefined {
  const known = Map.groupBy(
    others.flatMap((other) => [other.key, ...other.certificateKeys].map((key) => ({ key, other }))),
    ({ key }) => key,
  );
  const isShared = (registered: RegisteredIdentity) =>
    known
      .get(registered.key)
      ?.some(({ other }) => overlap(registered, other) && !haveDisjointPins(registered.caPins, other.caPins, policy));
  return identities.find(isShared)?.identity;
}

/**
 * A path contains several CAs, and two pinned keys could both be on it. It has only one anchor, its end, so only pins
 * to nothing but anchors distinguish two clients.
 */
export function haveDisjointPins(
  one: readonly string[],
  other: readonly string[],
  { anchors }: Pick<RegistrationPolicy, 'anchors'>,
): boolean {
  if (one.length === 0 || other.length === 0) return false;
  const roots = new Set(anchors.map(({ publicKeyThumbprint }) => publicKeyThumbprint));
  if (![...one, ...other].every((pin) => roots.has(pin))) return false;
  return !one.some((pin) => other.includes(pin));
}

/** Both ends of a period are inclusive. */
function overlap(one: ValidityPeriod, other: ValidityPeriod): boolean {
  const beginsInTime = (a: ValidityPeriod, b: ValidityPeriod) => (a.notBefore ?? -Infinity) <= (b.notAfter ?? Infinity);
  return beginsInTime(one, other) && beginsInTime(other, one);
}
