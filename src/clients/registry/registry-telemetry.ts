import type { Log } from '../../observability/log.ts';
import type { Metrics, Sample } from '../../observability/metrics.ts';
import type { RegistryEvents } from './redis-registry.ts';
import type { Registry, RemoteState } from './registry.ts';

/** Adds how it stands with Redis and with what is remembered of it. A store in memory has nothing to tell. */
export function addRegistryMetrics(metrics: Metrics, registry: Registry): void {
  if (!registry.remote) return;
  const value = (read: (state: RemoteState) => number) => (): Sample[] =>
    registry.remote ? [{ labels: {}, value: read(registry.remote) }] : [];
  metrics.addGauge({
    name: 'redis_up',
    help: 'Whether Redis can be asked for clients',
    labels: [],
    read: value(({ isUp }) => Number(isUp)),
  });
  metrics.addGauge({
    name: 'client_invalidation_mode',
    help: 'How changes of clients are heard of: 1 for the way that is in force',
    labels: ['mode'],
    read: () => invalidationModeSamples(registry.remote),
  });
  metrics.addGauge({
    name: 'client_cache_entries',
    help: 'How many clients are remembered',
    labels: [],
    read: value(({ entries }) => entries),
  });
  metrics.addGauge({
    name: 'client_cache_bytes',
    help: 'About how much memory they take',
    labels: [],
    read: value(({ bytes }) => bytes),
  });
  metrics.addCounter({
    name: 'client_lookups_total',
    help: 'Clients looked up: remembered (hit), asked for in Redis (miss), or given out stale since it did not answer',
    labels: ['result'],
    read: () => lookupSamples(registry.remote),
  });
}

function invalidationModeSamples(state: RemoteState | undefined): Sample[] {
  return (['tracking', 'pubsub', 'none'] as const).map((mode) => ({
    labels: { mode },
    value: Number(state?.invalidationMode === mode),
  }));
}

function lookupSamples(state: RemoteState | undefined): Sample[] {
  if (!state) return [];
  const { hits: hit, misses: miss, stale } = state;
  return Object.entries({ hit, miss, stale }).map(([result, value]) => ({ labels: { result }, value }));
}

/** What the log says of a registry over Redis. */
export function registryEvents(log: Log): RegistryEvents {
  return {
    onConnection: (problem) => {
      if (problem === undefined) log.info({ event: 'redis_connected' }, 'Redis is connected');
      else log.error({ event: 'redis_unreachable', reason: problem }, 'Redis cannot be asked');
    },
    onInvalidationMode: (mode, problem) => {
      const reason = problem === undefined ? {} : { reason: problem };
      const fields = { event: 'invalidation_mode_changed', mode, ...reason };
      if (mode === 'tracking') log.info(fields, 'Redis tells of every change of a client (client tracking)');
      else log.warn(fields, mode === 'pubsub' ? ONLY_OUR_OWN : NONE);
    },
    onDataLoss: (areLost) => {
      if (areLost) log.error({ event: 'registry_data_lost' }, LOST);
      else log.info({ event: 'registry_data_restored' }, 'the records of the clients are there again');
    },
  };
}

const ONLY_OUR_OWN =
  'Redis does not track: changes by `countersign clients` are told, others are seen within 5 s or COUNTERSIGN_CLIENT_CACHE_REFRESH_AFTER';
const NONE = 'changes of clients are not told at the moment: Redis is asked on every request, where it can be';
const LOST =
  'the records of all clients are gone from Redis: those remembered are served for as long as COUNTERSIGN_CLIENT_CACHE_MAX_AGE. ' +
  'Write them again: countersign clients apply';
