import { type RedisCredentials, sendRedisCommand } from './send-redis-command.ts';

/** What a node of a Redis Cluster reports about itself. */
export interface ClusterView {
  readonly port: number;
  /** Whether all slots are served. */
  readonly isOk: boolean;
  readonly isMaster: boolean;
  /** Whether it is the master of the slot. */
  readonly serves: (slot: number) => boolean;
  /** Of two masters that claim a slot, the one with the greater epoch serves it. */
  readonly epoch: number;
  /** Whether a replica is in sync with its master. */
  readonly isInSync: boolean;
}

/** Undefined if it does not respond. */
export async function clusterView(port: number, credentials: RedisCredentials): Promise<ClusterView | undefined> {
  const ask = async (...command: [string, ...string[]]) => String(await sendRedisCommand(port, command, credentials));
  try {
    const [nodes, info] = [await ask('CLUSTER', 'NODES'), await ask('CLUSTER', 'INFO')];
    const isInSync = (await ask('INFO', 'replication')).includes('master_link_status:up');
    return { port, isOk: info.includes('cluster_state:ok'), isInSync, ...ownLine(nodes) };
  } catch {
    return undefined;
  }
}

/** See `clusterLine`; further ranges follow the first, and migrating slots are in brackets. */
function ownLine(nodes: string): Pick<ClusterView, 'isMaster' | 'serves' | 'epoch'> {
  const line = nodes.split('\n').find((text) => text.includes('myself')) ?? '';
  const [, , flags = '', , , , epoch, , ...ranges] = line.split(' ');
  const slots = ranges.filter((range) => !range.startsWith('[')).map((range) => range.split('-').map(Number));
  const serves = (slot: number) => slots.some(([first = -1, last = first]) => first <= slot && slot <= last);
  return { isMaster: flags.includes('master'), serves, epoch: Number(epoch) };
}
