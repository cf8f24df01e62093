import { freePort } from './free-port.ts';
import { type RedisOptions, type RunningRedis, startRedis } from './redis-server.ts';

/** One redis-server of several. */
export interface RedisNode {
  readonly port: number;
  /** Of the process that runs, or ran last. */
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Starts it again after it ended, at the same port, with the same arguments and no data. */
  readonly restart: () => Promise<void>;
  /** SIGKILL, which ends it also while SIGSTOP holds it. */
  readonly stop: () => Promise<void>;
}

/** Replicas get the data straight from the master's memory, at once, and nobody waits for them at the end. */
const quickReplication = [
  ['--repl-diskless-sync', 'yes'],
  ['--repl-diskless-sync-delay', '0'],
  ['--repl-diskless-load', 'on-empty-db'],
  ['--repl-ping-replica-period', '1'],
  ['--shutdown-timeout', '0'],
].flat();

/** A redis-server that can have replicas or be one. */
export async function startRedisNode(options: RedisOptions): Promise<RedisNode> {
  const port = options.port ?? (await freePort());
  const args = [...quickReplication, ...(options.args ?? [])];
  const start = () => startRedis({ ...options, port, args });
  let redis = await start();
  return {
    port,
    get pid() {
      return redis.pid;
    },
    kill: (signal) => redis.kill(signal),
    restart: async () => {
      redis = await start();
    },
    stop: () => kill(redis),
  };
}

async function kill(redis: RunningRedis): Promise<void> {
  redis.kill('SIGKILL');
  await redis.exited;
}
