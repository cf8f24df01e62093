import { Cluster, type Redis } from 'ioredis';

/**
 * Lets go of connections whose server has been silent for 750 ms, so that new ones are made: to the master that the
 * sentinels name by then, or to the nodes that the cluster has by then.
 */
export function dropWhenSilent(redis: Redis | Cluster): void {
  if (!(redis instanceof Cluster)) {
    dropNodeWhenSilent(redis, () => redis.disconnect(true));
    return;
  }
  const keep = (node: Redis) => dropNodeWhenSilent(node, () => node.disconnect());
  for (const node of redis.nodes('all')) keep(node);
  redis.on('+node', keep);
}

function dropNodeWhenSilent(node: Redis, onSilent: () => void): void {
  const heartbeat = createHeartbeat({ redis: node, onSilent });
  if (node.status === 'ready') heartbeat.start();
  node.on('ready', heartbeat.start);
  node.on('close', heartbeat.stop);
}

export interface HeartbeatOptions {
  readonly redis: Redis;
  /** Called when the server has been silent for 750 ms, or has said nothing for 2 s, on a connection that says it is up. */
  readonly onSilent: () => void;
  /** Whether the answer to a PING proves that the connection does what it is for. Default: any does. */
  readonly isValidReply?: (answer: unknown) => boolean;
}

const INTERVAL_MILLISECONDS = 150;
/** Counted in questions, not in time: a process that was stopped itself has asked none. */
const MAX_UNANSWERED = 4;
/** Until the first answer on a connection: a Redis far away is late, and then answers each time. */
const MAX_UNANSWERED_AT_FIRST = 13;

/** Knows up to when a connection is known to work: TCP does not tell of an end that has gone without a word. */
export interface Heartbeat {
  /**
   * The time, by `performance.now()`, of the last PING that was answered. What the server sent before that has arrived,
   * since one connection keeps the order.
   */
  readonly lastProbeAt: number;
  /** A new connection begins, which works now. */
  start(): void;
  /** It is over: nothing is sent any more, and nothing of it is proven. */
  stop(): void;
}

export function createHeartbeat({ redis, onSilent, isValidReply: isProof = () => true }: HeartbeatOptions): Heartbeat {
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
    redis.ping().then(
      (answer: unknown) => {
        if (timer !== connection || !isProof(answer)) return;
        unanswered = 0;
        maxUnanswered = MAX_UNANSWERED;
        lastProbeAt = Math.max(lastProbeAt, sentAt);
      },
      // The connection says itself that it is over, or stays silent.
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
    stop: stop,
  };
}
