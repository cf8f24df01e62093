import type { GuardedRedis } from '../../redis/guarded-redis.ts';
import type { Client } from '../client.ts';
import type { RegistrationPolicy } from '../registration-policy.ts';
import { parseStoredRecord } from '../stored-record.ts';
import type { PermissionHandler } from './acl-permission.ts';
import { createDataLossDetector, type DataLossDetector } from './data-loss.ts';
import { EdgeRecords } from './edge-records.ts';
import type { RecordSource } from './load-record.ts';
import { type Caching, RecordCache } from './record-cache.ts';
import type { RegistryKeys } from './registry.ts';
import { ResourceRecords } from './resource-records.ts';

interface CachedRecordsOptions {
  readonly redis: GuardedRedis;
  readonly keys: RegistryKeys;
  readonly policy: RegistrationPolicy;
  /** Whether to read what only the edge needs. */
  readonly servesEdge: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly caching: Caching;
  readonly events: {
    /** @param isLost whether all records were lost, or restored */
    readonly onDataLoss: (isLost: boolean) => void;
    readonly onEdgePermission: PermissionHandler;
    readonly onAudiencePermission: PermissionHandler;
  };
}

/** Everything that a registry reads from Redis, cached until Redis reports a change. */
export class CachedRecords {
  readonly clients: RecordCache<Client>;
  readonly resources: ResourceRecords;
  /** Undefined if there is no edge. */
  readonly edge: EdgeRecords | undefined;
  readonly #redis: GuardedRedis;
  readonly #keys: RegistryKeys;
  readonly #dataLoss: DataLossDetector;

  constructor(options: CachedRecordsOptions) {
    const { redis, keys, events, servesEdge } = options;
    this.#redis = redis;
    this.#keys = keys;
    this.#dataLoss = createDataLossDetector(redis, keys.marker, events.onDataLoss);
    const common = { ...options, dataLoss: this.#dataLoss };
    this.clients = createClientCache(common);
    const { onEdgePermission, onAudiencePermission } = events;
    // Without an edge, only the lookup by audience needs the records.
    const onPermission = servesEdge ? onEdgePermission : onAudiencePermission;
    this.resources = new ResourceRecords({ ...common, onPermission, onAudiencePermission });
    this.edge = servesEdge
      ? new EdgeRecords({ ...common, clients: this.clients, onPermission: onEdgePermission })
      : undefined;
  }

  /** Of the keys whose changes must be reported. */
  get prefixes(): readonly string[] {
    const { clientPrefix, marker, resourcePrefix, audiencePrefix, identityPrefix } = this.#keys;
    return [clientPrefix, marker, resourcePrefix, audiencePrefix, ...(this.edge ? [identityPrefix] : [])];
  }

  /** These keys have changed. */
  invalidate(changed: readonly string[]): void {
    const { clientPrefix, marker } = this.#keys;
    for (const key of changed) {
      if (key.startsWith(clientPrefix)) this.clients.cache.invalidate(key.slice(clientPrefix.length));
      this.resources.invalidate(key);
      this.edge?.invalidate(key);
    }
    if (changed.includes(marker)) this.startDataLossCheck();
  }

  /** Anything may have changed. */
  revalidate(): void {
    this.clients.cache.markAllStale();
    this.resources.markAllStale();
    this.edge?.markAllStale();
    this.startDataLossCheck();
  }

  /** If Redis is unavailable, the next lookup of a missing record checks again. */
  startDataLossCheck(): void {
    this.#dataLoss.hasLostData().catch(() => {});
  }

  /** The ACL may permit the marker, but not the records. No record has an empty `client_id`. */
  startReadCheck(): void {
    this.#redis.execute((redis) => redis.get(this.#keys.clientPrefix)).catch(() => {});
    if (!this.edge) return;
    this.edge.startPermissionCheck();
    this.resources.startPermissionCheck();
  }
}

interface ClientCacheOptions extends Omit<CachedRecordsOptions, 'events' | 'servesEdge'> {
  readonly dataLoss: DataLossDetector;
}

function createClientCache({ redis, keys, dataLoss, policy, now, caching }: ClientCacheOptions): RecordCache<Client> {
  const source: RecordSource<Client> = {
    kind: 'client',
    redis,
    execute: redis.execute,
    prefix: keys.clientPrefix,
    parse: (clientId, record) => {
      const parsed = parseStoredRecord(clientId, record, policy, now());
      return parsed.ok ? { ok: true, record: parsed.client } : parsed;
    },
    dataLoss,
  };
  return new RecordCache(source, caching);
}
