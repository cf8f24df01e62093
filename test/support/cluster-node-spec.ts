import { randomBytes } from 'node:crypto';
import { freePort } from './free-port.ts';

/** A node of a Redis Cluster before it is started. */
export interface ClusterNodeSpec {
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly port: number;
  /** The port of the cluster bus. */
  readonly busPort: number;
  /** The slots of a master. */
  readonly slots: readonly [first: number, last: number] | undefined;
  /** The id of a replica's master. */
  readonly master: string | undefined;
  readonly epoch: number;
}

const SLOTS = 16_384;
const MASTERS = 3;

/** Three masters that share all slots, followed by their replicas, if any. */
export async function allocateClusterNodes(replicas: 0 | 1): Promise<ClusterNodeSpec[]> {
  const masters = await Promise.all(Array.from({ length: MASTERS }, (_, turn) => allocateMaster(turn)));
  if (replicas === 0) return masters;
  return [...masters, ...(await Promise.all(masters.map(allocateReplica)))];
}

/** The content of `nodes.conf` of one node, as if it had been in the cluster before. */
export function clusterConfigFile(places: readonly ClusterNodeSpec[], self: ClusterNodeSpec): string {
  const lines = places.map((place) => nodeLine(place, place === self));
  return [...lines, `vars currentEpoch ${MASTERS} lastVoteEpoch 0`, ''].join('\n');
}

async function allocateMaster(turn: number): Promise<ClusterNodeSpec> {
  const boundary = (index: number) => Math.round((index * SLOTS) / MASTERS);
  const slots = [boundary(turn), boundary(turn + 1) - 1] as const;
  return { ...(await allocateNode()), slots, master: undefined, epoch: turn + 1 };
}

async function allocateReplica({ id, epoch }: ClusterNodeSpec): Promise<ClusterNodeSpec> {
  return { ...(await allocateNode()), slots: undefined, master: id, epoch };
}

async function allocateNode() {
  return { id: randomBytes(20).toString('hex'), port: await freePort(), busPort: await freePort() };
}

/** `<id> <ip:port@bus> <flags> <master> <ping-sent> <pong-received> <epoch> <link-state> <slots>` */
function nodeLine({ id, port, busPort, slots, master, epoch }: ClusterNodeSpec, isSelf: boolean): string {
  const flags = `${isSelf ? 'myself,' : ''}${master ? 'slave' : 'master'}`;
  const fields = [id, `127.0.0.1:${port}@${busPort}`, flags, master ?? '-', 0, 0, epoch, 'connected'];
  return [...fields, ...(slots ? [slots.join('-')] : [])].join(' ');
}
