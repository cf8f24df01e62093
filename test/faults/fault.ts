import type { Cluster, Redis } from 'ioredis';
import type { Replicas } from './replicas.ts';

/** A deployment of Redis in which something goes wrong. */
export interface FaultyRedis {
  /** For the servers. */
  readonly url: string;
  /** More of the servers' environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Somebody who can still write when the fault has been in force for a while, or undefined. */
  readonly writerDuring: () => Promise<Redis | Cluster | undefined>;
  /** Somebody who can write before the fault and after it is mended. */
  readonly writer: () => Promise<Redis | Cluster>;
  readonly inject: (replicas: Replicas) => Promise<void>;
  /** Undefined: it mends itself. */
  readonly recover?: (replicas: Replicas) => Promise<void>;
  readonly stop: () => Promise<unknown>;
}

export interface Fault {
  readonly name: string;
  /** What somebody who is not registered hears while it is in force, besides 503: that he is not (400). */
  readonly servesUnknownClients: boolean;
  /** How long it is in force, in milliseconds. */
  readonly durationMilliseconds: number;
  readonly deploy: () => Promise<FaultyRedis>;
}
