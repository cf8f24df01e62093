import { Cluster, type Redis } from 'ioredis';
import { isErrorReply } from './reply-shapes.ts';

/**
 * Drops connections whose server has been unresponsive for 750 ms, so that new ones are made: to the master that Sentinel
 * names by then, or to the nodes that the cluster has by then.
 */
export function dropWhenSilent(redis: Redis | Cluster): void {
  if (!(redis instanceof Cluster)) {
    dropNodeWhenSilent(redis, () => redis.disconnect(true));
    return;
  }
  const monitor = (node: Redis) => dropNodeWhenSilent(node, () => node.disconnect());
  for (const node of redis.nodes('all')) monitor(node);
  redis.on('+node', monitor);
}

function dropNodeWhenSilent(node: Redis, onSilent: () => void): void {
  const heartbeat = createHeartbeat({ redis: node, onSilent });
  if (node.status === 'ready') heartbeat.start();
  node.on('ready', heartbeat.start);
  node.on('close', heartbeat.stop);
}

/** Probes a connection with PING: TCP does not report an end that was lost on the way. */
export interface Heartbeat {
  /**
   * When the last answered PING was sent, by `performance.now()`; -Infinity while stopped. Whatever the server sent before
   * that has arrived, since a connection preserves order.
   */
  readonly lastProbeAt: number;
  /** Starts on a new connection, which counts as probed now. */
  start(): void;
  /** Stops probing; no earlier probe counts any more. */
  stop(): void;
}

interface HeartbeatOptions {
  readonly redis: { ping(): Promise<unknown> };
  /** Called when a connected server has been unresponsive for 750 ms, or for 2 s on a new connection. */
  readonly onSilent: () => void;
  /** Whether a reply to PING proves that the connection serves its purpose. Default: any reply does, also an error. */
  readonly isValidReply?: (reply: unknown) => boolean;
}

const INTERVAL_MILLISECONDS = 150;
/** Counted in probes, not in time: a process that was suspended has sent none. */
const MAX_UNANSWERED = 4;
/** Until the first reply on a connection: a distant Redis is late once, and then replies at each interval. */
const MAX_UNANSWERED_AT_FIRST = 13;

export function createHeartbeat({ redis, onSilent, isValidReply = () => true }: HeartbeatOptions): Heartbeat {
  let timer: NodeJS.Timeout | undefined;
  let lastProbeAt = Number.NEGATIVE_INFINITY;
  let unanswered = 0;
  let maxUnanswered = MAX_UNANSWERED_AT_FIRST;
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    lastProbeAt = Number.NEGATIVE_INFINITY;
  };
  const probe = () => {
    const sentAt = performance.now();
    const connection = timer;
    if (unanswered++ >= maxUnanswered) return onSilent();
    const replied = redis.ping().catch((error: unknown) => {
      if (isErrorReply(error)) return error;
      throw error;
    });
    replied.then(
      (reply: unknown) => {
        if (timer !== connection || !isValidReply(reply)) return;
        unanswered = 0;
        maxUnanswered = MAX_UNANSWERED;
        lastProbeAt = Math.max(lastProbeAt, sentAt);
      },
      // Either the connection emits its end, or the next probes stay unanswered.
      () => {},
    );
  };
  return {
    get lastProbeAt() {
      return lastProbeAt;
    },
    start: () => {
      stop();
      unanswered = 0;
      maxUnanswered = MAX_UNANSWERED_AT_FIRST;
      lastProbeAt = performance.now();
      timer = setInterval(probe, INTERVAL_MILLISECONDS).unref();
    },
    stop,
  };
}
