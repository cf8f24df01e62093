import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { type MatchableName, sameValues } from '../../pki/certificate/names/distinguished-name.ts';
import { parseDistinguishedName } from '../../pki/certificate/names/parse.ts';
import type { Client } from '../client.ts';
import { type Identity, spiffeIdentity, type ValidityPeriod } from '../identities.ts';
import { caPinsOf, spiffePatternOf } from '../methods/methods.ts';
import { registeredIdentitiesOf } from '../registered-identities.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { parseSpiffePattern } from '../spiffe-pattern.ts';
import { IdentityIndex } from './identity-index.ts';
import type { SharedIdentity, SharingClient } from './shared-identity.ts';

/** A client, and the location of its record in a file; undefined if it is in Redis. */
export interface IdentityOwner {
  readonly client: Client;
  readonly location: string | undefined;
}

/** What sharing depends on. */
export interface SharingContext {
  readonly policy: Pick<RegistrationPolicy, 'anchors'>;
  /** Milliseconds since the epoch. A registration that has ended is not shared. */
  readonly now: number;
}

type LoadOwners = (owners: readonly number[]) => Promise<readonly (IdentityOwner | undefined)[]>;

const BATCH_SIZE = 1_000;

/**
 * Finds the identities that several clients share: one certificate authenticates each of them, now or later. They are
 * registered by the same identity, or by overlapping patterns of SPIFFE IDs without precedence, or some by an identity of
 * a certificate that the records of others contain; at the same time, and not pinned to different anchors. A name that
 * matches verbatim has the same characters as the other name or certificate.
 *
 * @param load the clients of the index, by their numbers
 */
export async function* findSharedIdentities(
  index: IdentityIndex,
  load: LoadOwners,
  context: SharingContext,
): AsyncGenerator<SharedIdentity> {
  for (const { owners, mayHave } of index.groups()) {
    const members: Member[] = [];
    for await (const owner of loadAll(owners, load))
      members.push(...membersOf(owner, context).filter(({ key }) => mayHave(key)));
    for (const group of Map.groupBy(members, ({ key }) => key).values()) yield* sharedBy(group, context);
  }
  yield* overlappingPatterns(index, load, context);
}

/**
 * Finds the shared identities of clients in memory. Requests are served meanwhile.
 *
 * @param locate the location of the record of a client
 */
export async function* findSharedAmong(
  clients: readonly Client[],
  locate: (clientId: string) => string | undefined,
  context: SharingContext,
): AsyncGenerator<SharedIdentity> {
  const index = new IdentityIndex();
  for (const [number, client] of clients.entries()) {
    if (number % BATCH_SIZE === BATCH_SIZE - 1) await yieldToEventLoop();
    index.add(client, number);
  }
  const ownerAt = (number: number) => {
    const client = clients[number];
    return client && { client, location: locate(client.clientId) };
  };
  const load: LoadOwners = async (numbers) => {
    await yieldToEventLoop();
    return numbers.map(ownerAt);
  };
  yield* findSharedIdentities(index, load, context);
}

async function* loadAll(owners: readonly number[], load: LoadOwners): AsyncGenerator<IdentityOwner> {
  for (let start = 0; start < owners.length; start += BATCH_SIZE) {
    const batch = await load(owners.slice(start, start + BATCH_SIZE));
    for (const owner of batch) if (owner) yield owner;
  }
}

/** One identity of a client: it is registered by it, or its record contains a certificate that has it. */
interface Member extends SharingClient, ValidityPeriod {
  readonly key: string;
  /** Undefined if the client is not registered by it. */
  readonly identity: Identity | undefined;
  /** Of the certificate that its record contains, if it does. */
  readonly subjectText: string | undefined;
  readonly caPins: readonly string[];
}

function membersOf({ client, location }: IdentityOwner, { now }: SharingContext): Member[] {
  const { clientId } = client;
  return registeredIdentitiesOf(client)
    .filter(({ notAfter = Infinity }) => now <= notAfter)
    .flatMap(({ key, identity, contained, notBefore, notAfter, caPins }) => {
      const member = { clientId, location, notBefore, notAfter, caPins, subjectText: contained?.subjectText };
      const others = (contained?.keys ?? []).filter((other) => other !== key);
      return [{ ...member, key, identity }, ...others.map((other) => ({ ...member, key: other, identity: undefined }))];
    });
}

/** Clients that share an identity, directly or through others. */
interface Circle {
  readonly clients: SharingClient[];
  /** Of its members, those that differ: a million clients of one name are compared with one of them. */
  readonly different: Map<string, Member>;
}

const emptyCircle = (): Circle => ({ clients: [], different: new Map() });

/** @param members of one identity, those of one client together */
function sharedBy(members: readonly Member[], { policy }: SharingContext): SharedIdentity[] {
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

function share(one: Member, other: Member, policy: SharingContext['policy']): boolean {
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

/** The IDs that several patterns match, none of which has precedence. Equal patterns are registered by the same identity. */
async function* overlappingPatterns(
  index: IdentityIndex,
  load: LoadOwners,
  context: SharingContext,
): AsyncGenerator<SharedIdentity> {
  for (const { both, owners } of index.patternGroups()) {
    // Also of a single ID, since what overlaps are patterns.
    const identity: Identity = { ...spiffeIdentity(parseSpiffePattern(both)), kind: 'spiffe_pattern' };
    const patterns = new Map<string, string>();
    const members: Member[] = [];
    for await (const { client, location } of loadAll([...owners.values()].flat(), load)) {
      const { clientId, registrations } = client;
      const text = spiffePatternOf(registrations)?.text;
      if (text === undefined || !owners.has(text)) continue;
      patterns.set(clientId, text);
      members.push({
        clientId,
        location,
        key: both,
        identity,
        subjectText: undefined,
        notAfter: undefined,
        caPins: registrations.flatMap(caPinsOf),
      });
    }
    const isOfSeveral = ({ clients }: SharedIdentity) =>
      new Set(clients.map(({ clientId }) => patterns.get(clientId))).size > 1;
    yield* sharedBy(members, context).filter(isOfSeveral);
  }
}

/**
 * A path contains several CAs, and two pinned keys could both be on it. It has only one anchor, its end, so only pins
 * to nothing but anchors distinguish two clients.
 */
function haveDisjointPins(
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
