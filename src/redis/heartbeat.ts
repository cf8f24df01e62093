import { Cluster, type Redis } from 'ioredis';
import { isErrorReply } from './reply-shapes.ts';

/**
 * Shared by connections that are lost together, such as behind a firewall that drops their packets: whether a reply is
 * overdue on one that is probed all the time.
 */
export class Suspicion {
  readonly #sources = new Set<object>();
  readonly #connections: Pick<Heartbeat, 'endIfUnanswered'>[] = [];

  get isRaised(): boolean {
    return this.#sources.size > 0;
  }

  /** Adds a connection, which is probed while the suspicion is raised. */
  watch(connection: Pick<Heartbeat, 'endIfUnanswered'>): void {
    this.#connections.push(connection);
  }

  /** The connection on which a reply was overdue is dropped: others that do not reply either are not waited for. */
  confirm(): void {
    for (const connection of this.#connections) connection.endIfUnanswered();
  }

  /** @param source the connection */
  set(source: object, isOverdue: boolean): void {
    if (!isOverdue) this.#sources.delete(source);
    else this.#sources.add(source);
  }
}

/**
 * Drops connections whose server is unresponsive, so that new ones are made: to the master that Sentinel names by then, or
 * to the nodes that the cluster has by then. A connection is probed while a command waits for a reply, or while there is a
 * suspicion; otherwise every ten seconds. Without commands, nothing depends on it.
 */
export function dropWhenSilent(redis: Redis | Cluster, suspicion = new Suspicion()): void {
  if (!(redis instanceof Cluster)) {
    dropNodeWhenSilent(redis, suspicion, () => redis.disconnect(true));
    return;
  }
  const monitor = (node: Redis) => dropNodeWhenSilent(node, suspicion, () => node.disconnect());
  for (const node of redis.nodes('all')) monitor(node);
  redis.on('+node', monitor);
}

const IDLE_MILLISECONDS = 10_000;

function dropNodeWhenSilent(node: Redis, suspicion: Suspicion, onSilent: () => void): void {
  const isNeeded = () => suspicion.isRaised || node.commandQueue.length > 0;
  const heartbeat = createHeartbeat({ redis: node, onSilent, interval: IDLE_MILLISECONDS, isNeeded });
  suspicion.watch(heartbeat);
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
  /** Calls `onSilent` if two PINGs are unanswered. */
  endIfUnanswered(): void;
  /** Stops probing; no earlier probe counts any more. */
  stop(): void;
}

interface HeartbeatOptions {
  readonly redis: { ping(): Promise<unknown> };
  /** Called when the server has not replied to four PINGs, 560 ms, or for 2 s on a new connection. */
  readonly onSilent: () => void;
  /** Whether a reply to PING proves that the connection serves its purpose. Default: any reply does, also an error. */
  readonly isValidReply?: (reply: unknown) => boolean;
  /** Milliseconds between PINGs that are answered in time. Default: 280. */
  readonly interval?: number;
  /** Asked every 140 ms: whether to send a PING before the interval has passed. Default: never. */
  readonly isNeeded?: () => boolean;
  /** Called every 140 ms with whether a reply is overdue. */
  readonly onTick?: (isOverdue: boolean) => void;
}

/**
 * A connection that is cut off behind a reply is dropped 840 ms after the PING of that reply was sent: the next one is sent
 * after 280 ms, and three more while it is not answered, 140 ms apart. A new connection is made 20 ms later. A change that is
 * not announced on the old one is therefore in force within a second. A reply may take 560 ms.
 */
const INTERVAL_MILLISECONDS = 280;
/** While a reply is overdue. */
const OVERDUE_MILLISECONDS = 140;
/** Counted in probes, not in time: a process that was suspended has sent none. */
const MAX_UNANSWERED = 4;
/** Enough for a connection that is suspected together with another one that is dropped. */
const MAX_UNANSWERED_IF_SUSPECTED = 2;
/** Until the first reply on a connection: a distant Redis is late once, and then replies at each interval. */
const MAX_UNANSWERED_AT_FIRST = 14;

const ticking = new Set<() => void>();
let clock: NodeJS.Timeout | undefined;

/** One timer for all connections: an idle process wakes up once for all of them. */
function callOnTicks(tick: () => void): () => void {
  const call = () => tick();
  ticking.add(call);
  clock ??= setInterval(() => [...ticking].forEach((each) => void each()), OVERDUE_MILLISECONDS).unref();
  return () => {
    ticking.delete(call);
    if (ticking.size > 0) return;
    clearInterval(clock);
    clock = undefined;
  };
}

export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { redis, onSilent, isValidReply = () => true, interval = INTERVAL_MILLISECONDS } = options;
  const { isNeeded = () => false, onTick = () => {} } = options;
  const ticksBetween = Math.round(interval / OVERDUE_MILLISECONDS);
  let endTicks: (() => void) | undefined;
  let lastProbeAt = Number.NEGATIVE_INFINITY;
  /** Since the last reply, and since the connection was made. */
  let unanswered = 0;
  let inFlight = 0;
  let ticks = 0;
  let maxUnanswered = MAX_UNANSWERED_AT_FIRST;
  const stop = () => {
    endTicks?.();
    endTicks = undefined;
    lastProbeAt = Number.NEGATIVE_INFINITY;
  };
  /** A reply that has arrived counts even if this process was too busy to read it: I/O follows the timers, and precedes this. */
  const endUnlessAnswered = (limit: number) => {
    const connection = endTicks;
    setImmediate(() => {
      if (connection && endTicks === connection && unanswered >= limit) onSilent();
    });
  };
  const probe = () => {
    const sentAt = performance.now();
    const connection = endTicks;
    if (unanswered >= maxUnanswered) return endUnlessAnswered(maxUnanswered);
    [unanswered, inFlight, ticks] = [unanswered + 1, inFlight + 1, 0];
    const replied = redis.ping().catch((error: unknown) => {
      if (isErrorReply(error)) return error;
      throw error;
    });
    replied.then(
      (reply: unknown) => {
        if (endTicks !== connection) return;
        inFlight -= 1;
        if (!isValidReply(reply)) return;
        unanswered = 0;
        maxUnanswered = MAX_UNANSWERED;
        lastProbeAt = Math.max(lastProbeAt, sentAt);
      },
      // Either the connection emits its end, or the next probes stay unanswered.
      () => {},
    );
  };
  const tick = () => {
    ticks += 1;
    const isOverdue = inFlight > 0 || unanswered > 0;
    onTick(isOverdue);
    if (isOverdue || ticks >= ticksBetween || isNeeded()) probe();
  };
  return {
    get lastProbeAt() {
      return lastProbeAt;
    },
    endIfUnanswered: () => endUnlessAnswered(MAX_UNANSWERED_IF_SUSPECTED),
    start: () => {
      stop();
      [unanswered, inFlight, ticks] = [0, 0, 0];
      maxUnanswered = MAX_UNANSWERED_AT_FIRST;
      lastProbeAt = performance.now();
      endTicks = callOnTicks(tick);
    },
    stop,
  };
}
