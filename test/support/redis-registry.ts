import {
  type CacheSettings,
  createRedisRegistry,
  type RegistryEvents,
} from '../../src/clients/registry/redis-registry.ts';
import type { Registry } from '../../src/clients/registry/registry.ts';
import type { RedisTls } from '../../src/redis/connect.ts';
import type { InvalidationMode } from '../../src/redis/invalidation/connection.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { usualPolicy } from './policy.ts';

/** A registry over Redis, with what it said. */
export interface OpenedRegistry {
  readonly registry: Registry;
  readonly problems: readonly (string | undefined)[];
  readonly notifications: readonly InvalidationMode[];
  /** Of each of these, why it is not tracking. */
  readonly reasons: readonly (string | undefined)[];
  /** Of each change: whether the records were gone. */
  readonly lost: readonly boolean[];
}

export interface OpenOptions {
  readonly prefix: string;
  readonly tls?: RedisTls;
  readonly cache?: Partial<CacheSettings>;
}

/** What the server uses, but with time for a machine that does other things beside. */
export const patientCache: CacheSettings = {
  bounds: { entries: 1_000, bytes: 16 * 1024 * 1024 },
  lifetimes: { refreshAfter: 60_000, maxAge: 600_000, negativeTtl: 2_000 },
  loadTimeoutMilliseconds: 2_000,
};

export async function openRedisRegistry(
  url: string,
  { prefix, tls = {}, cache }: OpenOptions,
): Promise<OpenedRegistry> {
  const problems: (string | undefined)[] = [];
  const notifications: InvalidationMode[] = [];
  const reasons: (string | undefined)[] = [];
  const lost: boolean[] = [];
  const events: RegistryEvents = {
    onConnection: (problem) => problems.push(problem),
    onInvalidationMode: (notification, reason) => {
      notifications.push(notification);
      reasons.push(reason);
    },
    onDataLoss: (areLost) => lost.push(areLost),
  };
  const registry = await createRedisRegistry({
    access: { address: parseRedisUrl(url), tls },
    keyPrefix: prefix,
    cache: { ...patientCache, ...cache },
    policy: usualPolicy,
    now: Date.now,
    events,
  });
  return { registry, problems, notifications, reasons, lost };
}
