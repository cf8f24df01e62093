import { randomBytes } from 'node:crypto';
import { freePort } from './free-port.ts';

/** A node of a Redis Cluster before it runs. */
export interface ClusterPlace {
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly port: number;
  /** Where the nodes talk with one another. */
  readonly busPort: number;
  /** Of a master: the slots that it serves. */
  readonly slots: readonly [first: number, last: number] | undefined;
  /** Of a replica: the id of its master. */
  readonly master: string | undefined;
  readonly epoch: number;
}

const SLOTS = 16_384;
const MASTERS = 3;

/** Three masters that share all slots; then, where asked for, the replica of each. */
export async function clusterPlaces(replicas: 0 | 1): Promise<ClusterPlace[]> {
  const masters = await Promise.all(Array.from({ length: MASTERS }, (_, turn) => masterPlace(turn)));
  if (replicas === 0) return masters;
  return [...masters, ...(await Promise.all(masters.map(replicaPlace)))];
}

/** What the node at `self` would have written down of this cluster, had it been in it before. */
export function clusterFile(places: readonly ClusterPlace[], self: ClusterPlace): string {
  const lines = places.map((place) => clusterLine(place, place === self));
  return [...lines, `vars currentEpoch ${MASTERS} lastVoteEpoch 0`, ''].join('\n');
}

async function masterPlace(turn: number): Promise<ClusterPlace> {
  const boundary = (index: number) => Math.round((index * SLOTS) / MASTERS);
  const slots = [boundary(turn), boundary(turn + 1) - 1] as const;
  return { ...(await address()), slots, master: undefined, epoch: turn + 1 };
}

async function replicaPlace({ id, epoch }: ClusterPlace): Promise<ClusterPlace> {
  return { ...(await address()), slots: undefined, master: id, epoch };
}

async function address() {
  return { id: randomBytes(20).toString('hex'), port: await freePort(), busPort: await freePort() };
}

/** `<id> <ip:port@bus> <flags> <master> <ping-sent> <pong-received> <epoch> <link-state> <slots>` */
function clusterLine({ id, port, busPort, slots, master, epoch }: ClusterPlace, isSelf: boolean): string {
  const flags = `${isSelf ? 'myself,' : ''}${master ? 'slave' : 'master'}`;
  const fields = [id, `127.0.0.1:${port}@${busPort}`, flags, master ?? '-', 0, 0, epoch, 'connected'];
  return [...fields, ...(slots ? [slots.join('-')] : [])].join(' ');
}
