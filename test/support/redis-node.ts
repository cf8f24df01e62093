import { freePort } from './free-port.ts';
import { type RedisOptions, type RunningRedis, startRedis } from './redis-server.ts';

/** A redis-server of a deployment. */
export interface RedisNode {
  readonly port: number;
  /** Of the current process, or of the last one. */
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Restarts it after it has exited, at the same port, with the same arguments and without data. */
  readonly restart: () => Promise<void>;
  /** Sends SIGKILL, which works after SIGSTOP as well. */
  readonly stop: () => Promise<void>;
}

/** Replicas synchronize without disk and without delay, and a shutdown does not wait for them. */
const quickReplication = [
  ['--repl-diskless-sync', 'yes'],
  ['--repl-diskless-sync-delay', '0'],
  ['--repl-diskless-load', 'on-empty-db'],
  ['--repl-ping-replica-period', '1'],
  ['--shutdown-timeout', '0'],
].flat();

/** Starts a redis-server that can be a master or a replica. */
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
