import { Cluster, type Redis } from 'ioredis';
import { createHeartbeat } from './heartbeat.ts';

/**
 * Lets go of connections whose server has been silent for 750 ms, so that new ones are made: to the master that the
 * sentinels name by then, or to the nodes that the cluster has by then.
 */
export function keepAlive(redis: Redis | Cluster): void {
  if (!(redis instanceof Cluster)) {
    keepNodeAlive(redis, () => redis.disconnect(true));
    return;
  }
  const keep = (node: Redis) => keepNodeAlive(node, () => node.disconnect());
  for (const node of redis.nodes('all')) keep(node);
  redis.on('+node', keep);
}

function keepNodeAlive(node: Redis, onSilent: () => void): void {
  const heartbeat = createHeartbeat({ redis: node, onSilent });
  if (node.status === 'ready') heartbeat.begin();
  node.on('ready', heartbeat.begin);
  node.on('close', heartbeat.end);
}
