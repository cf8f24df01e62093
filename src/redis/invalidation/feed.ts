import { Cluster, type Redis } from 'ioredis';
import { ClusterInvalidationFeed } from './cluster.ts';
import type { InvalidationConnectionOptions, InvalidationMode } from './connection.ts';
import { ON_DIFFERENT_SERVERS, ServerInvalidationFeed } from './server.ts';

/** Tells what changes in Redis, wherever it changes. */
export interface InvalidationFeed {
  /** Up to when every change has been told, by `performance.now()`. */
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
    const isBeginning = last === undefined && mode === 'none' && problem === undefined;
    if (state === last || isBeginning) return;
    last = state;
    report(mode, problem);
  };
}
