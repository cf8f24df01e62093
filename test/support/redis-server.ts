import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { accepts } from './accepts.ts';
import { type RunningProgram, startProgram } from './child-process.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

export interface RunningRedis {
  readonly url: string;
  readonly port: number;
  /** Its Unix socket. */
  readonly socket: string;
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly stop: () => Promise<number>;
}

export interface RedisOptions {
  /** The path of redis-server. */
  readonly program: string;
  /** A folder for a folder of its own. */
  readonly directory: string;
  /** The same port again, e.g. after an outage. Default: a free one. */
  readonly port?: number;
  /** More of redis-server's arguments, e.g. `['--requirepass', 'x']`. */
  readonly args?: readonly string[];
}

/** A redis-server that keeps nothing, on loopback. */
export async function startRedis({ program, directory, args = [], ...options }: RedisOptions): Promise<RunningRedis> {
  const port = options.port ?? (await freePort());
  const folder = mkdtempSync(join(directory, 'r-'));
  const socket = join(folder, 'redis.sock');
  const address = ['--bind', '127.0.0.1', '--port', String(port), '--unixsocket', socket];
  const nothingKept = ['--save', '', '--appendonly', 'no', '--dir', folder];
  const server = startProgram(program, [...address, ...nothingKept, ...args]);
  await waitUntilReady(server, port);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    socket,
    pid: server.pid,
    kill: server.kill,
    stop: server.stop,
  };
}

async function waitUntilReady(server: RunningProgram, port: number): Promise<void> {
  const report = () => `redis-server does not answer:\n${server.stdout()}${server.stderr()}`;
  await eventually(async () => server.hasExited() || (await accepts({ host: '127.0.0.1', port })), report);
  if (server.hasExited()) throw new Error(report());
}
