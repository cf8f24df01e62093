import { Cluster, type Redis } from 'ioredis';
import { createHeartbeat, type Heartbeat, OVERDUE_MILLISECONDS } from './heartbeat.ts';
import { type Probed, Suspicion } from './suspicion.ts';

const IDLE_MILLISECONDS = 10_000;

/**
 * Drops connections whose server is unresponsive, so that new ones are made: to the master that Sentinel names by then, or
 * to the nodes that the cluster has by then. A connection is probed at its start, while a command waits for a reply, and while
 * there is a suspicion; otherwise every ten seconds. Without commands, nothing depends on it.
 *
 * @returns to be called with each command: a ninth of a second later, a connection on which a command still waits is probed
 */
export function dropWhenSilent(redis: Redis | Cluster, suspicion = new Suspicion()): () => void {
  const probed = new Set<Probed>();
  const expectReply = callLater(() => probed.forEach((heartbeat) => void heartbeat.hasten()));
  const monitor = (node: Redis, onSilent: () => void) => {
    const heartbeat = probeOnDemand(node, { suspicion, onSilent, onReady: expectReply });
    probed.add(heartbeat);
    return () => {
      probed.delete(heartbeat);
      suspicion.unwatch(heartbeat);
    };
  };
  if (!(redis instanceof Cluster)) {
    monitor(redis, () => redis.disconnect(true));
    return expectReply;
  }
  // A node that has left comes back as another connection.
  const monitorNode = (node: Redis) =>
    node.once(
      'end',
      monitor(node, () => node.disconnect()),
    );
  for (const node of redis.nodes('all')) monitorNode(node);
  redis.on('+node', monitorNode);
  return expectReply;
}

interface ProbeOptions {
  readonly suspicion: Suspicion;
  readonly onSilent: () => void;
  /** ioredis itself sends commands then. */
  readonly onReady: () => void;
}

function probeOnDemand(node: Redis, { suspicion, onSilent, onReady }: ProbeOptions): Heartbeat {
  const isNeeded = () => suspicion.isRaised || node.commandQueue.length > 0;
  const heartbeat = createHeartbeat({ redis: node, onSilent, interval: IDLE_MILLISECONDS, isNeeded });
  suspicion.watch(heartbeat);
  const start = () => {
    heartbeat.start();
    onReady();
  };
  if (node.status === 'ready') start();
  node.on('ready', start);
  node.on('close', () => heartbeat.stop());
  return heartbeat;
}

/** Calls of the result are one call, a ninth of a second after the first of them. */
function callLater(call: () => void): () => void {
  let isScheduled = false;
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    setTimeout(() => {
      isScheduled = false;
      call();
    }, OVERDUE_MILLISECONDS).unref();
  };
}
