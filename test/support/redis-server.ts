import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { acceptsConnections } from './accepts-connections.ts';
import { type RunningProgram, startProgram } from './child-process.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { orStopAll } from './start-all.ts';

export interface RunningRedis {
  readonly url: string;
  readonly port: number;
  /** The path of its Unix socket. */
  readonly socket: string;
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<number>;
  readonly stop: () => Promise<number>;
}

/** Paths of PEM files. */
export interface RedisTls {
  readonly cert: string;
  readonly key: string;
  /** CA certificates for client certificates, which are required then. Default: none. */
  readonly clientCa?: string;
}

export interface RedisOptions {
  /** The path of redis-server. */
  readonly program: string;
  /** The parent of a new directory for the server. */
  readonly directory: string;
  /** Default: a free port. */
  readonly port?: number;
  /** Users in addition to `default`, e.g. `'server on >secret ~x:* +get'`, or `'default off'`. */
  readonly aclRules?: readonly string[];
  /** Enables TLS on the port, and disables plain TCP. The Unix socket is not affected. */
  readonly tls?: RedisTls;
  /** Additional arguments of redis-server, e.g. `['--requirepass', 'x']`. */
  readonly args?: readonly string[];
}

/** Starts a redis-server without persistence on loopback. */
export async function startRedis({ program, directory, args = [], ...options }: RedisOptions): Promise<RunningRedis> {
  const port = options.port ?? (await freePort());
  const folder = mkdtempSync(join(directory, 'r-'));
  const socket = join(folder, 'redis.sock');
  const address = ['--bind', '127.0.0.1', ...portArguments(port, options.tls), '--unixsocket', socket];
  const nothingKept = ['--save', '', '--appendonly', 'no', '--dir', folder];
  const server = startProgram(program, [...address, ...nothingKept, ...aclArguments(options.aclRules), ...args]);
  await orStopAll([server], () => waitUntilReady(server, port));
  return {
    url: `${options.tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    port,
    socket,
    pid: server.pid,
    kill: server.kill,
    exited: server.exited,
    stop: server.stop,
  };
}

function portArguments(port: number, tls: RedisTls | undefined): string[] {
  if (!tls) return ['--port', String(port)];
  const ports = ['--port', '0', '--tls-port', String(port)];
  const identity = ['--tls-cert-file', tls.cert, '--tls-key-file', tls.key];
  const clients = tls.clientCa ? ['yes', '--tls-ca-cert-file', tls.clientCa] : ['no'];
  return [...ports, ...identity, '--tls-auth-clients', ...clients];
}

/** Redis joins the arguments of a selector, `(+get ~x)`, itself. */
function aclArguments(rules: readonly string[] = []): string[] {
  return rules.flatMap((rule) => ['--user', ...rule.split(' ')]);
}

async function waitUntilReady(server: RunningProgram, port: number): Promise<void> {
  const report = () => `redis-server does not respond:\n${server.stdout()}${server.stderr()}`;
  await eventually(async () => server.hasExited() || (await acceptsConnections({ host: '127.0.0.1', port })), report);
  if (server.hasExited()) throw new Error(report());
}
