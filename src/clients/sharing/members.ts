import { type MatchableName, sameValues } from '../../pki/certificate/names/distinguished-name.ts';
import { parseDistinguishedName } from '../../pki/certificate/names/parse.ts';
import type { Identity, ValidityPeriod } from '../identities.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import type { SharedIdentity, SharingClient } from './shared-identity.ts';

/** One identity of a client: it is registered by it, or its record contains a certificate that has it. */
export interface Member extends SharingClient, ValidityPeriod {
  readonly key: string;
  /** Undefined if the client is not registered by it. */
  readonly identity: Identity | undefined;
  /** Of the certificate that its record contains, if it does. */
  readonly subjectText: string | undefined;
  readonly caPins: readonly string[];
}

type AnchorPolicy = Pick<RegistrationPolicy, 'anchors'>;

/** Clients that share an identity, directly or through others. */
interface Circle {
  readonly clients: SharingClient[];
  /** Of its members, those that differ: a million clients of one name are compared with one of them. */
  readonly different: Map<string, Member>;
}

const emptyCircle = (): Circle => ({ clients: [], different: new Map() });

/**
 * Which clients share an identity: one certificate authenticates each of them, now or later.
 *
 * @param members of one identity, those of one client together
 */
export function sharedBy(members: readonly Member[], policy: AnchorPolicy): SharedIdentity[] {
  let circles: Circle[] = [];
  for (const own of Map.groupBy(members, ({ clientId }) => clientId).values()) {
    const joins = ({ different }: Circle) =>
      [...different.values()].some((other) => own.some((member) => share(member, other, policy)));
    const joined = circles.filter(joins);
    const [target = emptyCircle(), ...merged] = joined;
    for (const { clients, different } of merged) {
      target.clients.push(...clients);
      for (const [text, member] of different) target.different.set(text, member);
    }
    const [{ clientId, location }] = own as [Member, ...Member[]];
    target.clients.push({ clientId, location });
    for (const member of own) target.different.set(differenceOf(member), member);
    circles = joined.length === 1 ? circles : [...circles.filter((circle) => !joined.includes(circle)), target];
  }
  return circles.flatMap(({ clients, different }) => {
    const identity = [...different.values()].find((member) => member.identity)?.identity;
    return identity && clients.length > 1 ? [{ identity, clients }] : [];
  });
}

function share(one: Member, other: Member, policy: AnchorPolicy): boolean {
  const isRegistered = one.identity !== undefined || other.identity !== undefined;
  if (!isRegistered || haveOtherCharacters(one, other) || !overlap(one, other)) return false;
  return !haveDisjointPins(one.caPins, other.caPins, policy);
}

/** A name that only a certificate with its own characters has, and another such name, or a certificate with others. */
function haveOtherCharacters(one: Member, other: Member): boolean {
  if (one.identity?.verbatim === undefined && other.identity?.verbatim === undefined) return false;
  const [name, otherName] = [charactersOf(one), charactersOf(other)];
  return name !== undefined && otherName !== undefined && !sameValues(name, otherName);
}

/** Undefined if they do not matter, or are not known. */
function charactersOf({ identity, subjectText }: Member): MatchableName | undefined {
  return identity?.verbatim ?? (subjectText === undefined ? undefined : parseDistinguishedName(subjectText));
}

function differenceOf({ identity, subjectText, notBefore, notAfter, caPins }: Member): string {
  const name = identity === undefined ? subjectText : identity.verbatim && identity.text;
  return JSON.stringify([identity !== undefined, name, notBefore, notAfter, ...caPins]);
}

/**
 * A path contains several CAs, and two pinned keys could both be on it. It has only one anchor, its end, so only pins
 * to nothing but anchors distinguish two clients.
 */
function haveDisjointPins(one: readonly string[], other: readonly string[], { anchors }: AnchorPolicy): boolean {
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
