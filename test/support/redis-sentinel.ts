import { eventually } from './eventually.ts';
import { programPath } from './program-path.ts';
import { type RedisNode, startRedisNode } from './redis-node.ts';
import type { RedisPki } from './redis-pki.ts';
import { type RedisCredentials, sendRedisCommand } from './send-redis-command.ts';
import {
  allocateSentinel,
  type RunningSentinel,
  type SentinelAddress,
  sentinelCredentials,
  startSentinel,
} from './sentinel-process.ts';
import { type SentinelView, sentinelView } from './sentinel-view.ts';
import { orStopAll, startAll, stopAll } from './start-all.ts';

export interface SentinelOptions {
  /** The parent of new directories for the processes. */
  readonly directory: string;
  /** Password of the user `default` of the data nodes. Default: none. */
  readonly password?: string;
  /** Password of the sentinels. Default: none. */
  readonly sentinelPassword?: string;
  /** Additional users of the data nodes, as for `startRedis`. */
  readonly aclRules?: readonly string[];
  /** Requires TLS of all nodes and sentinels. */
  readonly tls?: RedisPki;
}

export interface SentinelDeployment {
  readonly masterName: string;
  readonly sentinelPorts: readonly number[];
  readonly sentinels: readonly RunningSentinel[];
  /** The first is the master at the start. */
  readonly nodes: readonly RedisNode[];
  /**
   * The master that the sentinels report; if they differ, the one that was promoted last.
   * @throws {Error} if no sentinel responds
   */
  readonly currentMaster: () => Promise<RedisNode>;
  /** Waits until all responding sentinels report another master. Default: 10,000 ms. */
  readonly masterAfter: (old: RedisNode, milliseconds?: number) => Promise<RedisNode>;
  /** Has a sentinel replace the master although nothing is wrong with it. Resolves when it has begun. */
  readonly failOver: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

const MASTER_NAME = 'countersign';

/**
 * Starts a master with two replicas, without persistence, and three sentinels with a quorum of two, on loopback. The
 * sentinels promote a replica 1 to 2 seconds after the master dies; the last of them may report it a second later.
 */
export async function startSentinelDeployment(options: SentinelOptions): Promise<SentinelDeployment> {
  const nodes = await startDataNodes(options);
  const places = await Promise.all([allocateSentinel(), allocateSentinel(), allocateSentinel()]);
  const sentinels = await orStopAll(nodes, () => startSentinels(nodes, places, options));
  const all = [...sentinels, ...nodes];
  const credentials = sentinelCredentials(options);
  const views = () => viewsOf(places, credentials);
  await orStopAll(all, () => waitUntilReady(views));
  return {
    masterName: MASTER_NAME,
    sentinelPorts: places.map(({ port }) => port),
    sentinels,
    nodes,
    currentMaster: async () => latestMaster(nodes, await views()),
    masterAfter: (old, milliseconds) => masterAfter(nodes, old, views, milliseconds),
    failOver: () => failOver(places, credentials),
    stop: () => stopAll(all),
  };
}

async function startDataNodes({ directory, password, aclRules = [], tls }: SentinelOptions): Promise<RedisNode[]> {
  const authentication = password ? ['--requirepass', password, '--masterauth', password] : [];
  const encryption = tls ? ['--tls-replication', 'yes'] : [];
  const options = { program: programPath('redis-server'), directory, aclRules, ...(tls && { tls: tls.server }) };
  const start = (more: readonly string[]) =>
    startRedisNode({ ...options, args: [...authentication, ...encryption, ...more] });
  const master = await start([]);
  const replicaOf = ['--replicaof', '127.0.0.1', `${master.port}`];
  const replicas = await orStopAll([master], () => startAll([start(replicaOf), start(replicaOf)]));
  return [master, ...replicas];
}

function startSentinels(
  [master, ...replicas]: readonly RedisNode[],
  sentinels: readonly SentinelAddress[],
  options: SentinelOptions,
): Promise<RunningSentinel[]> {
  const ports = { master: master?.port ?? 0, replicas: replicas.map(({ port }) => port) };
  const monitoring = { ...options, ...ports, masterName: MASTER_NAME, sentinels };
  return startAll(sentinels.map((place) => startSentinel(place, monitoring)));
}

type Views = () => Promise<SentinelView[]>;

async function viewsOf(sentinels: readonly SentinelAddress[], credentials: RedisCredentials): Promise<SentinelView[]> {
  const views = await Promise.all(sentinels.map(({ port }) => sentinelView(port, MASTER_NAME, credentials)));
  return views.filter((view) => view !== undefined);
}

/** A failover requires that each sentinel knows the replicas, and that they are in sync. */
async function waitUntilReady(views: Views): Promise<void> {
  let seen: SentinelView[] = [];
  const isReady = async () => {
    seen = await views();
    return seen.length === 3 && seen.every((view) => view.hasQuorum && view.replicasInSync === 2);
  };
  await eventually(isReady, () => `the sentinels are not ready: ${JSON.stringify(seen)}`);
}

async function masterAfter(nodes: readonly RedisNode[], old: RedisNode, views: Views, milliseconds?: number) {
  let seen: SentinelView[] = [];
  const isOver = async () => {
    seen = await views();
    return seen.length > 0 && seen.every(({ port }) => port !== old.port);
  };
  await eventually(isOver, () => `no failover: ${JSON.stringify(seen)}`, milliseconds);
  return latestMaster(nodes, seen);
}

/**
 * A sentinel that gives up a failover that was ordered does not begin another. So it gets the time of a busy machine: it
 * asks the new master for its role only once a second. It refuses the order while the replies of the replicas are late.
 */
async function failOver([sentinel]: readonly SentinelAddress[], credentials: RedisCredentials): Promise<void> {
  const send = (...args: string[]) => sendRedisCommand(sentinel?.port ?? 0, ['SENTINEL', ...args], credentials);
  await send('SET', MASTER_NAME, 'failover-timeout', '60000');
  let refusal: unknown;
  const isAccepted = async () => {
    refusal = await send('FAILOVER', MASTER_NAME).then(
      () => undefined,
      (error: unknown) => error,
    );
    return refusal === undefined;
  };
  await eventually(isAccepted, () => `the sentinel orders no failover: ${refusal}`);
}

function latestMaster(nodes: readonly RedisNode[], views: readonly SentinelView[]): RedisNode {
  const [latest] = views.toSorted((a, b) => b.epoch - a.epoch);
  const master = nodes.find(({ port }) => port === latest?.port);
  if (!master) throw new Error(`the sentinels report none of the nodes: ${JSON.stringify(views)}`);
  return master;
}
