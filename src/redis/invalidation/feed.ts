import { Cluster, type Redis } from 'ioredis';
import { ClusterFeed } from './cluster.ts';
import type { ChangeLinkOptions, Notification } from './connection.ts';
import { APART, ServerFeed } from './server.ts';

/** Tells what changes in Redis, wherever it changes. */
export interface ChangeFeed {
  /** Up to when every change has been told, by `performance.now()`. */
  readonly toldUntil: number;
  readonly notification: Notification;
  close(): void;
}

/** @param redis the connection on which the keys are read */
export function openChangeFeed(redis: Redis | Cluster, options: ChangeLinkOptions): ChangeFeed {
  const reporting = { ...options, onNotification: onlyChanges(options.onNotification) };
  return redis instanceof Cluster ? new ClusterFeed(redis, reporting) : new ServerFeed(redis, reporting);
}

function onlyChanges(report: ChangeLinkOptions['onNotification']): ChangeLinkOptions['onNotification'] {
  let last: string | undefined;
  return (notification, problem) => {
    const state = problem === APART ? APART : notification;
    const isBeginning = last === undefined && notification === 'none' && problem === undefined;
    if (state === last || isBeginning) return;
    last = state;
    report(notification, problem);
  };
}
