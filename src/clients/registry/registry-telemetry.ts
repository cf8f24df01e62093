import type { Log } from '../../observability/log.ts';
import type { Metrics, Sample } from '../../observability/metrics.ts';
import type { RegistryEvents } from './redis-registry.ts';
import type { CacheState, Registry, RemoteState } from './registry.ts';

/** Adds the metrics of a remote registry and its caches. A registry in memory has none. */
export function addRegistryMetrics(metrics: Metrics, registry: Registry): void {
  if (!registry.remote) return;
  metrics.addGauge({
    name: 'redis_up',
    help: 'Whether Redis is reachable',
    labels: [],
    read: () => (registry.remote ? [{ labels: {}, value: Number(registry.remote.isUp) }] : []),
  });
  metrics.addGauge({
    name: 'client_invalidation_mode',
    help: 'Invalidation mode of the client cache: 1 for the active one',
    labels: ['mode'],
    read: () => invalidationModeSamples(registry.remote),
  });
  addCacheMetrics(metrics, { prefix: 'client', values: 'Clients', lookups: 'Client lookups' }, () => registry.remote);
  if (!registry.remote.certificates) return;
  const ofEdge = { prefix: 'edge_client', values: 'Certificates', lookups: 'Lookups of clients by certificate' };
  addCacheMetrics(metrics, ofEdge, () => registry.remote?.certificates);
}

interface CacheNames {
  /** Of the names of the metrics. */
  readonly prefix: string;
  /** What is cached, and what is counted. */
  readonly values: string;
  readonly lookups: string;
}

function addCacheMetrics(
  metrics: Metrics,
  { prefix, values, lookups }: CacheNames,
  read: () => CacheState | undefined,
): void {
  const value = (select: (state: CacheState) => number) => (): Sample[] => {
    const state = read();
    return state ? [{ labels: {}, value: select(state) }] : [];
  };
  metrics.addGauge({
    name: `${prefix}_cache_entries`,
    help: `${values} in the cache`,
    labels: [],
    read: value(({ entries }) => entries),
  });
  metrics.addGauge({
    name: `${prefix}_cache_bytes`,
    help: `Approximate memory of the cache of ${values.toLowerCase()}`,
    labels: [],
    read: value(({ bytes }) => bytes),
  });
  metrics.addCounter({
    name: `${prefix}_lookups_total`,
    help: `${lookups}: from the cache (hit), from Redis (miss), or from the cache because Redis did not respond (stale)`,
    labels: ['result'],
    read: () => lookupSamples(read()),
  });
}

function invalidationModeSamples(state: RemoteState | undefined): Sample[] {
  return (['tracking', 'pubsub', 'none'] as const).map((mode) => ({
    labels: { mode },
    value: Number(state?.invalidationMode === mode),
  }));
}

function lookupSamples(state: CacheState | undefined): Sample[] {
  if (!state) return [];
  const { hits: hit, misses: miss, stale } = state;
  return Object.entries({ hit, miss, stale }).map(([result, value]) => ({ labels: { result }, value }));
}

/** Logs the events of a Redis registry. */
export function registryEvents(log: Log): RegistryEvents {
  return {
    onConnection: (problem) => {
      if (problem === undefined) log.info({ event: 'redis_connected' }, 'connected to Redis');
      else log.error({ event: 'redis_unreachable', reason: problem }, 'Redis is unreachable');
    },
    onSentinelRefusal: (problem) => log.warn({ event: 'sentinel_refused', reason: problem }, NO_FAILOVER_MESSAGES),
    onInvalidationMode: (mode, problem) => {
      const reason = problem === undefined ? {} : { reason: problem };
      const fields = { event: 'invalidation_mode_changed', mode, ...reason };
      if (mode === 'tracking')
        log.info(fields, 'client tracking is active: every change of a client propagates immediately');
      else log.warn(fields, mode === 'pubsub' ? PUBSUB_ONLY : NO_INVALIDATION);
    },
    onDataLoss: (isLost) => {
      if (isLost) log.error({ event: 'registry_data_lost' }, DATA_LOST);
      else log.info({ event: 'registry_data_restored' }, 'the client records in Redis are restored');
    },
    onEdgePermission: (rule, problem) => {
      if (problem === undefined)
        log.info({ event: 'edge_acl_permitted', rule }, 'the ACL of Redis permits what the edge reads');
      else log.error({ event: 'edge_acl_denied', rule, reason: problem }, `${EDGE_DENIED}${rule}`);
    },
    onAudiencePermission: (rule, problem) => {
      if (problem === undefined)
        log.info({ event: 'audience_acl_permitted', rule }, 'the ACL of Redis permits to find resources by audience');
      else log.warn({ event: 'audience_acl_denied', rule, reason: problem }, `${AUDIENCE_DENIED}${rule}`);
    },
  };
}

const NO_FAILOVER_MESSAGES =
  'a sentinel refuses to announce failovers: unless another one does, a replaced master that stays up may be used for seconds';
const PUBSUB_ONLY =
  'client tracking is unavailable: changes made with `countersign clients` propagate immediately, others within 5 s or COUNTERSIGN_CLIENT_CACHE_REFRESH_AFTER';
const NO_INVALIDATION =
  'invalidation messages are unavailable: every request reads its client from Redis, while Redis responds';
const EDGE_DENIED =
  'the ACL of Redis denies what the edge reads: checks that are not cached get 503. Add this to the user in COUNTERSIGN_REDIS_URL: ';
const AUDIENCE_DENIED =
  'the ACL of Redis denies the lookup of resources by audience: the signing_alg of a resource has no effect at the token endpoint, ' +
  'and its introspection clients cannot introspect its tokens. Add this to the user in COUNTERSIGN_REDIS_URL: ';
const DATA_LOST =
  'all client records are gone from Redis: cached clients are served up to COUNTERSIGN_CLIENT_CACHE_MAX_AGE. ' +
  'Restore the records: countersign clients apply';
