import { Cluster, type Redis } from 'ioredis';
import { ChangeLink, type ChangeLinkOptions, type Notification } from './change-link.ts';
import { createRetry } from './create-retry.ts';
import { followServerIdentity } from './server-identity.ts';

export type ChangeFeedOptions = Omit<ChangeLinkOptions, 'node'>;

/** Tells what changes in Redis, wherever it changes: each master of a cluster only knows of its own keys. */
export interface ChangeFeed {
  /** Up to when every change has been told, by `performance.now()`. */
  readonly toldUntil: number;
  readonly notification: Notification;
  close(): void;
}

const LOOK_MILLISECONDS = 250;
/** While a cluster loses or gets a master, it is not sure who takes changes. */
const UNSETTLED_MILLISECONDS = 2_000;

/** @param redis the connection on which the keys are read, which knows the masters of its cluster */
export function openChangeFeed(redis: Redis | Cluster, options: ChangeFeedOptions): ChangeFeed {
  const reporting = { ...options, onNotification: onlyChanges(options.onNotification) };
  return redis instanceof Cluster ? followMasters(redis, reporting) : followServer(redis, reporting);
}

const APART = 'the connection that tells of changes leads to another server than the one on which clients are read';

/** What another server tells is nothing of what is read here: of two connections the older one is made anew. */
function followServer(redis: Redis, options: ChangeFeedOptions): ChangeFeed {
  const isApart = () => reader.runId !== '' && link.runId !== '' && reader.runId !== link.runId;
  /** Until they are known to be together again, whatever becomes of one of them meanwhile. */
  let wereApart = false;
  let reconnectOlder = () => {};
  const together = createRetry(() => {
    if (isApart()) reconnectOlder();
  });
  const compare = (reconnect: () => void) => {
    if (reader.runId === undefined || link.runId === undefined) return;
    wereApart = isApart();
    reconnectOlder = reconnect;
    if (wereApart) together.failed();
    else together.succeeded();
  };
  let problem: string | undefined;
  const report = () => {
    if (wereApart) options.onNotification('none', APART);
    else options.onNotification(link.notification, problem);
  };
  const link = new ChangeLink({
    ...options,
    onNotification: (_, why) => {
      problem = why;
      compare(() => {
        if (redis.status === 'ready') redis.disconnect(true);
      });
      report();
    },
  });
  const reader = followServerIdentity(redis, () => {
    compare(() => link.reconnect());
    report();
  });
  return {
    get toldUntil() {
      return isApart() ? Number.NEGATIVE_INFINITY : link.toldUntil;
    },
    get notification() {
      return wereApart ? 'none' : link.notification;
    },
    close: () => {
      together.stop();
      reader.close();
      link.close();
    },
  };
}

function followMasters(cluster: Cluster, options: ChangeFeedOptions): ChangeFeed {
  const links = new Map<string, ChangeLink>();
  let settledAt = Number.NEGATIVE_INFINITY;
  const weakest = () => weakestOf([...links.values()].map(({ notification }) => notification));
  const look = () => {
    const masters = new Map(cluster.nodes('master').map((node) => [nameOf(node), node]));
    for (const [name, link] of links) {
      if (masters.has(name)) continue;
      link.close();
      links.delete(name);
      settledAt = performance.now() + UNSETTLED_MILLISECONDS;
    }
    for (const [name, { options: node }] of masters) {
      if (links.has(name) || node.host === undefined || node.port === undefined) continue;
      const onNotification = (_: Notification, problem: string | undefined) =>
        options.onNotification(weakest(), problem);
      links.set(name, new ChangeLink({ ...options, node: { host: node.host, port: node.port }, onNotification }));
    }
  };
  // Whoever comes or goes, perhaps only for one question (ASK), may have taken changes that nobody told of.
  const unsettle = () => {
    settledAt = performance.now() + UNSETTLED_MILLISECONDS;
    options.onAnyChanged();
    look();
  };
  cluster.on('refresh', look);
  cluster.on('+node', unsettle);
  cluster.on('-node', unsettle);
  const timer = setInterval(look, LOOK_MILLISECONDS).unref();
  look();
  return {
    get toldUntil() {
      if (links.size === 0 || performance.now() < settledAt) return Number.NEGATIVE_INFINITY;
      return Math.min(...[...links.values()].map((link) => link.toldUntil));
    },
    get notification() {
      return weakest();
    },
    close: () => {
      clearInterval(timer);
      cluster.off('refresh', look);
      cluster.off('+node', unsettle);
      cluster.off('-node', unsettle);
      for (const link of links.values()) link.close();
    },
  };
}

function nameOf({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}

function weakestOf(notifications: readonly Notification[]): Notification {
  if (notifications.length === 0 || notifications.includes('none')) return 'none';
  return notifications.includes('notices') ? 'notices' : 'tracking';
}

function onlyChanges(report: ChangeFeedOptions['onNotification']): ChangeFeedOptions['onNotification'] {
  let last: string | undefined;
  return (notification, problem) => {
    const state = problem === APART ? APART : notification;
    const isBeginning = last === undefined && notification === 'none' && problem === undefined;
    if (state === last || isBeginning) return;
    last = state;
    report(notification, problem);
  };
}
