import type { Cluster, Redis } from 'ioredis';
import type { Replicas } from './replicas.ts';

/** A Redis deployment into which a fault is injected. */
export interface FaultyRedis {
  /** For the servers. */
  readonly url: string;
  /** Additional environment variables of the servers. */
  readonly env?: Readonly<Record<string, string>>;
  /** A connection that can write during the fault, perhaps after a while; undefined if none can. */
  readonly writerDuring: () => Promise<Redis | Cluster | undefined>;
  /** A connection that can write before the fault and after recovery. */
  readonly writer: () => Promise<Redis | Cluster>;
  readonly inject: (replicas: Replicas) => Promise<void>;
  /** Ends the fault; undefined if it ends by itself. */
  readonly recover?: (replicas: Replicas) => Promise<void>;
  readonly stop: () => Promise<unknown>;
}

export interface Fault {
  readonly name: string;
  /** Whether requests of unknown clients may get 400 during the fault, and not only 503. */
  readonly servesUnknownClients: boolean;
  readonly durationMilliseconds: number;
  readonly deploy: () => Promise<FaultyRedis>;
}
