import { Cluster, type Redis } from 'ioredis';
import { ClusterInvalidationFeed } from './cluster.ts';
import type { InvalidationConnectionOptions, InvalidationMode } from './connection.ts';
import { ON_DIFFERENT_SERVERS, ServerInvalidationFeed } from './server.ts';

/** Delivers invalidation messages for the tracked keys, whichever client changed them. */
export interface InvalidationFeed {
  /** All changes up to this time, by `performance.now()`, have been delivered. */
  readonly syncedUntil: number;
  readonly mode: InvalidationMode;
  close(): void;
}

/** @param redis the connection on which the keys are read */
export function openInvalidationFeed(redis: Redis | Cluster, options: InvalidationConnectionOptions): InvalidationFeed {
  const reporting = { ...options, onMode: reportChangesOnly(options.onMode) };
  return redis instanceof Cluster
    ? new ClusterInvalidationFeed(redis, reporting)
    : new ServerInvalidationFeed(redis, reporting);
}

function reportChangesOnly(report: InvalidationConnectionOptions['onMode']): InvalidationConnectionOptions['onMode'] {
  let last: string | undefined;
  return (mode, problem) => {
    const state = problem === ON_DIFFERENT_SERVERS ? ON_DIFFERENT_SERVERS : mode;
    const isInitial = last === undefined && mode === 'none' && problem === undefined;
    if (state === last || isInitial) return;
    last = state;
    report(mode, problem);
  };
}
