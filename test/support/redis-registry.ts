import {
  type CacheSettings,
  createRedisRegistry,
  type RegistryEvents,
} from '../../src/clients/registry/redis-registry.ts';
import type { Registry } from '../../src/clients/registry/registry.ts';
import type { RedisTls } from '../../src/redis/connect.ts';
import type { AnnouncedKey } from '../../src/redis/invalidation/announced-key.ts';
import type { InvalidationMode } from '../../src/redis/invalidation/connection.ts';
import type { Suspicion } from '../../src/redis/suspicion.ts';
import { parseRedisUrl } from '../../src/redis/url.ts';
import { defaultPolicy } from './policy.ts';

/** A registry over Redis, with its events. */
export interface OpenedRegistry {
  readonly registry: Registry;
  readonly problems: readonly (string | undefined)[];
  readonly modes: readonly InvalidationMode[];
  /** For each mode, why it is not tracking. */
  readonly reasons: readonly (string | undefined)[];
  /** For each change, whether the records were lost. */
  readonly dataLosses: readonly boolean[];
  /** Each rule that the ACL lacked, and whether it was denied or permitted again. */
  readonly edgePermissions: readonly Permission[];
  readonly audiencePermissions: readonly Permission[];
}

interface Permission {
  readonly rule: string;
  readonly problem: string | undefined;
}

export interface OpenOptions {
  readonly prefix: string;
  readonly tls?: RedisTls;
  readonly cache?: Partial<CacheSettings>;
  readonly servesEdge?: boolean;
  readonly announced?: readonly AnnouncedKey[];
  readonly suspicion?: Suspicion;
}

/** The defaults of the server, but with a timeout for a busy machine. */
const lenientCache: CacheSettings = {
  bounds: { entries: 1_000, bytes: 16 * 1024 * 1024 },
  lifetimes: { refreshAfter: 60_000, maxAge: 600_000, negativeTtl: 2_000 },
  loadTimeoutMilliseconds: 2_000,
};

export async function openRedisRegistry(
  url: string,
  { prefix, tls = {}, cache, servesEdge = false, announced = [], suspicion }: OpenOptions,
): Promise<OpenedRegistry> {
  const problems: (string | undefined)[] = [];
  const modes: InvalidationMode[] = [];
  const reasons: (string | undefined)[] = [];
  const dataLosses: boolean[] = [];
  const edgePermissions: Permission[] = [];
  const audiencePermissions: Permission[] = [];
  const events: RegistryEvents = {
    onConnection: (problem) => problems.push(problem),
    onInvalidationMode: (mode, reason) => {
      modes.push(mode);
      reasons.push(reason);
    },
    onSentinelRefusal: () => {},
    onDataLoss: (isLost) => dataLosses.push(isLost),
    onEdgePermission: (rule, problem) => edgePermissions.push({ rule, problem }),
    onAudiencePermission: (rule, problem) => audiencePermissions.push({ rule, problem }),
  };
  const registry = await createRedisRegistry({
    access: { address: parseRedisUrl(url), tls },
    keyPrefix: prefix,
    cache: { ...lenientCache, ...cache },
    policy: defaultPolicy,
    servesEdge,
    now: Date.now,
    events,
    announced,
    suspicion,
  });
  return { registry, problems, modes, reasons, dataLosses, edgePermissions, audiencePermissions };
}
