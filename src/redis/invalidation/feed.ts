import { Cluster, type Redis } from 'ioredis';
import { ClusterInvalidationFeed } from './cluster.ts';
import type { InvalidationConnectionOptions, InvalidationMode } from './connection.ts';
import { ServerInvalidationFeed } from './server.ts';
import type { ServerIdentity } from './server-identity.ts';

/** Delivers invalidation messages for the tracked keys, whichever client changed them. */
export interface InvalidationFeed {
  /** All changes up to this time, by `performance.now()`, have been delivered. */
  readonly syncedUntil: number;
  readonly mode: InvalidationMode;
  /**
   * Whether it announces the changes of the server to which another connection leads.
   *
   * @param reader undefined for a connection to a Cluster, where each key has one master
   */
  covers(reader: ServerIdentity | undefined): boolean;
  close(): void;
}

/** @param redis the connection on which the keys are read */
export function openInvalidationFeed(redis: Redis | Cluster, options: InvalidationConnectionOptions): InvalidationFeed {
  const reporting = { ...options, onMode: reportChangesOnly(options.onMode) };
  return redis instanceof Cluster
    ? new ClusterInvalidationFeed(redis, reporting)
    : new ServerInvalidationFeed(redis, reporting);
}

const MAX_REPORTED_PROBLEMS = 20;

/** Reports each mode when it begins, and each problem once, until client tracking is active again. */
function reportChangesOnly(report: InvalidationConnectionOptions['onMode']): InvalidationConnectionOptions['onMode'] {
  let last: InvalidationMode | undefined;
  const reported = new Set<string>();
  return (mode, problem) => {
    const isNew = problem !== undefined && !reported.has(problem) && reported.size < MAX_REPORTED_PROBLEMS;
    const isInitial = last === undefined && mode === 'none' && problem === undefined;
    if ((mode === last && !isNew) || isInitial) return;
    last = mode;
    if (mode === 'tracking') reported.clear();
    if (problem !== undefined) reported.add(problem);
    report(mode, problem);
  };
}
