import type { Registry, RemoteState } from '../clients/registry.ts';
import type { Metrics, Sample } from '../operations/metrics.ts';

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
    name: 'client_changes',
    help: 'How changes of clients are heard of: 1 for the way that is in force',
    labels: ['notification'],
    read: () => notificationSamples(registry.remote),
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
    help: 'Clients looked up: remembered (hit), asked for in Redis (miss), or given out unconfirmed since it did not answer',
    labels: ['result'],
    read: () => lookupSamples(registry.remote),
  });
}

function notificationSamples(state: RemoteState | undefined): Sample[] {
  return (['tracking', 'notices', 'none'] as const).map((notification) => ({
    labels: { notification },
    value: Number(state?.notification === notification),
  }));
}

function lookupSamples(state: RemoteState | undefined): Sample[] {
  if (!state) return [];
  const { hits: hit, misses: miss, unconfirmed } = state;
  return Object.entries({ hit, miss, unconfirmed }).map(([result, value]) => ({ labels: { result }, value }));
}
