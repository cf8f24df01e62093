import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allocateClusterNodes, type ClusterNodeSpec, clusterConfigFile } from './cluster-node-spec.ts';
import { type ClusterView, clusterView } from './cluster-view.ts';
import { eventually } from './eventually.ts';
import { programPath } from './program-path.ts';
import { type RedisNode, startRedisNode } from './redis-node.ts';
import type { RedisPki } from './redis-pki.ts';
import { type RedisCredentials, sendRedisCommand } from './send-redis-command.ts';
import { orStopAll, startAll, stopAll } from './start-all.ts';

export interface ClusterOptions {
  /** The parent of new directories for the nodes. */
  readonly directory: string;
  /** Per master. Default: 0. */
  readonly replicas?: 0 | 1;
  /** Requires TLS from clients and between nodes. */
  readonly tls?: RedisPki;
  /** Additional arguments of each redis-server. */
  readonly args?: readonly string[];
}

interface ClusterNode extends RedisNode {
  /** The role at the start. */
  readonly role: 'master' | 'replica';
}

export interface ClusterDeployment {
  /** Three masters, then their replicas in the same order. */
  readonly nodes: readonly ClusterNode[];
  /**
   * The node that claims the key's slot; of several, the one with the latest epoch.
   * @throws {Error} if no responding node does
   */
  readonly masterOfKey: (key: string) => Promise<ClusterNode>;
  /** Waits until all responding nodes report that all slots are served. Default: 10,000 ms. */
  readonly waitUntilOk: (milliseconds?: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A replica starts an election about a second after this time without its master. */
const NODE_TIMEOUT_MILLISECONDS = 1000;

/**
 * Starts a Redis Cluster without persistence on loopback. The nodes start as after a restart, from a file that lists all of
 * them, so that they need not meet. A master waits two seconds before it serves.
 */
export async function startClusterDeployment(options: ClusterOptions): Promise<ClusterDeployment> {
  const places = await allocateClusterNodes(options.replicas ?? 0);
  const nodes = await startAll(places.map((place) => startNode(place, places, options)));
  const credentials = options.tls ? { tls: options.tls.client } : {};
  const views = () => viewsOf(nodes, credentials);
  await orStopAll(nodes, () => waitFor(views, (seen) => seen.length === nodes.length && isInSync(seen)));
  return {
    nodes,
    masterOfKey: (key) => masterOfKey(nodes, key, credentials),
    waitUntilOk: (milliseconds) => waitFor(views, isOk, milliseconds),
    stop: () => stopAll(nodes),
  };
}

async function startNode(place: ClusterNodeSpec, all: readonly ClusterNodeSpec[], options: ClusterOptions) {
  const file = join(mkdtempSync(join(options.directory, 'c-')), 'nodes.conf');
  writeFileSync(file, clusterConfigFile(all, place));
  const args = [
    ['--cluster-enabled', 'yes'],
    ['--cluster-config-file', file],
    ['--cluster-port', `${place.busPort}`],
    ['--cluster-announce-ip', '127.0.0.1'],
    ['--cluster-node-timeout', `${NODE_TIMEOUT_MILLISECONDS}`],
    // A replica may be promoted however long ago it lost its master.
    ['--cluster-replica-validity-factor', '0'],
    options.tls ? ['--tls-cluster', 'yes', '--tls-replication', 'yes'] : [],
    options.args ?? [],
  ].flat();
  const { directory, tls } = options;
  const program = programPath('redis-server');
  const node = await startRedisNode({ program, directory, port: place.port, args, ...(tls && { tls: tls.server }) });
  return Object.assign(node, { role: place.master ? 'replica' : 'master' } as const);
}

async function waitFor(
  views: () => Promise<readonly ClusterView[]>,
  condition: (views: readonly ClusterView[]) => boolean,
  milliseconds?: number,
): Promise<void> {
  let seen: readonly ClusterView[] = [];
  const isMet = async () => {
    seen = await views();
    return condition(seen);
  };
  await eventually(isMet, () => `the cluster is not ready: ${JSON.stringify(seen)}`, milliseconds);
}

async function viewsOf(nodes: readonly RedisNode[], credentials: RedisCredentials): Promise<ClusterView[]> {
  const views = await Promise.all(nodes.map(({ port }) => clusterView(port, credentials)));
  return views.filter((view) => view !== undefined);
}

function isOk(views: readonly ClusterView[]): boolean {
  return views.length > 0 && views.every((view) => view.isOk);
}

function isInSync(views: readonly ClusterView[]): boolean {
  return isOk(views) && views.every((view) => view.isMaster || view.isInSync);
}

async function masterOfKey<T extends RedisNode>(
  nodes: readonly T[],
  key: string,
  credentials: RedisCredentials,
): Promise<T> {
  const views = await viewsOf(nodes, credentials);
  const slot = Number(await sendRedisCommand(views[0]?.port ?? 0, ['CLUSTER', 'KEYSLOT', key], credentials));
  const masters = views.filter((view) => view.isMaster && view.serves(slot)).sort((a, b) => b.epoch - a.epoch);
  const master = nodes.find(({ port }) => port === masters[0]?.port);
  if (!master) throw new Error(`no node serves slot ${slot}`);
  return master;
}
