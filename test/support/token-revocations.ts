import type { RedisTls } from '../../src/redis/connect.ts';
import type { Suspicion } from '../../src/redis/suspicion.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { openTokenStore } from '../../src/service/token-store.ts';
import type { AccessToken } from '../../src/tokens/access-token.ts';
import { createRedisRevocations, type ObservedRevocations } from '../../src/tokens/revocation/redis-revocations.ts';
import type { AnnouncedKeys, TokenStore } from '../../src/tokens/token-store.ts';
import { eventually } from './eventually.ts';

/** The revocations of a replica, with their events. */
export interface OpenedRevocations {
  readonly revocations: ObservedRevocations;
  readonly store: TokenStore;
  /** Such as `feed: the ACL …`, `lookup: …`, `lost`, `restored: 1`, `full` and `complete`, in their order. */
  readonly events: readonly string[];
  /** Waits until the stream has been read to its end, at most a second ago. */
  readonly untilSynced: () => Promise<void>;
  readonly close: () => void;
}

interface OpenOptions {
  readonly prefix: string;
  readonly tls?: RedisTls;
  readonly maxAge?: number;
  readonly lookupTimeout?: number;
  readonly maxEntries?: number;
  /** Default: nothing announces changes. */
  readonly announced?: AnnouncedKeys;
  /** Default: its own. */
  readonly suspicion?: Suspicion;
  /** Milliseconds since the epoch. Default: the clock of the machine. */
  readonly now?: () => number;
}

export async function openTokenRevocations(url: string, options: OpenOptions): Promise<OpenedRevocations> {
  const {
    prefix,
    tls = {},
    announced,
    suspicion,
    maxAge = 600_000,
    lookupTimeout = 2_000,
    now = Date.now,
    maxEntries,
  } = options;
  const events: string[] = [];
  const store = await openTokenStore({ address: parseRedisUrl(url), tls, keyPrefix: prefix }, announced, suspicion);
  const revocations = createRedisRevocations({
    store,
    maxAge,
    lookupTimeout,
    now,
    ...(maxEntries !== undefined && { maxEntries }),
    events: {
      onFeedProblem: (problem) => events.push(`feed: ${problem}`),
      onLookupProblem: (problem) => events.push(`lookup: ${problem}`),
      onLoss: () => events.push('lost'),
      onRestored: (count) => events.push(`restored: ${count}`),
      onInvalidEntry: (id) => events.push(`invalid: ${id}`),
      onCapacity: (isFull) => events.push(isFull ? 'full' : 'complete'),
    },
  });
  return {
    revocations,
    store,
    events,
    untilSynced: () =>
      eventually(
        () => revocations.state.ageSeconds < 1,
        () => `the revocations are ${revocations.state.ageSeconds} s old: ${events}`,
      ),
    close: () => {
      void revocations.close();
      store.connection.close();
    },
  };
}

/** A token that was issued a minute ago and expires in an hour, unless stated otherwise. */
export function accessToken(claims: Partial<AccessToken> = {}): AccessToken {
  const now = Math.floor(Date.now() / 1000);
  return {
    issuer: 'https://auth.example',
    subject: 'billing',
    clientId: 'billing',
    audience: ['https://api.example'],
    scope: ['read'],
    tokenId: crypto.randomUUID(),
    issuedAt: now - 60,
    expiresAt: now + 3_600,
    notBefore: now - 60,
    certificateThumbprint: undefined,
    ...claims,
  };
}
