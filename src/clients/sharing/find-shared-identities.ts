import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { Client } from '../client.ts';
import { type Identity, spiffeIdentity } from '../identities.ts';
import { caPinsOf, spiffePatternOf } from '../methods/methods.ts';
import { registeredIdentitiesOf } from '../registered-identities.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { parseSpiffePattern } from '../spiffe-pattern.ts';
import { IdentityIndex } from './identity-index.ts';
import { type Member, sharedBy } from './members.ts';
import type { SharedIdentity } from './shared-identity.ts';

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
    for (const group of Map.groupBy(members, ({ key }) => key).values()) yield* sharedBy(group, context.policy);
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
    yield* sharedBy(members, context.policy).filter(isOfSeveral);
  }
}
