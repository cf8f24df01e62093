import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { acceptsConnections } from './accepts-connections.ts';
import { type RunningProgram, startProgram } from './child-process.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { programPath } from './program-path.ts';
import type { RedisNode } from './redis-node.ts';
import type { RedisPki } from './redis-pki.ts';
import { type RedisCredentials, sendRedisCommand } from './send-redis-command.ts';
import { orStopAll } from './start-all.ts';

/** A sentinel before it is started. */
export interface SentinelAddress {
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly port: number;
}

/** The master that sentinels monitor, its replicas, and the sentinels. */
export interface MonitoredMaster {
  readonly directory: string;
  readonly masterName: string;
  readonly master: number;
  readonly replicas: readonly number[];
  readonly sentinels: readonly SentinelAddress[];
  /** Password of the master and the replicas. */
  readonly password?: string | undefined;
  /** Password of the sentinels. */
  readonly sentinelPassword?: string | undefined;
  /** Used by all of them. */
  readonly tls?: RedisPki;
}

export type RunningSentinel = Pick<RedisNode, 'port' | 'pid' | 'kill' | 'stop'>;

/** Milliseconds; the defaults are seconds. With the short TILT period, a stalled machine costs one second, not thirty. */
const periods = {
  'INFO-PERIOD': 300,
  'PING-PERIOD': 300,
  'ASK-PERIOD': 100,
  'PUBLISH-PERIOD': 200,
  'MIN-LINK-RECONNECT-PERIOD': 100,
  'ELECTION-TIMEOUT': 1000,
  'TILT-PERIOD': 1000,
};

export async function allocateSentinel(): Promise<SentinelAddress> {
  return { id: randomBytes(20).toString('hex'), port: await freePort() };
}

/** Starts redis-server in Sentinel mode; redis-sentinel is the same program. */
export async function startSentinel(place: SentinelAddress, watch: MonitoredMaster): Promise<RunningSentinel> {
  const folder = mkdtempSync(join(watch.directory, 's-'));
  const file = join(folder, 'sentinel.conf');
  writeFileSync(file, sentinelFile(place, watch, folder));
  const sentinel = startProgram(programPath('redis-server'), [file, '--sentinel']);
  const stop = async () => {
    sentinel.kill('SIGKILL');
    await sentinel.exited;
  };
  await orStopAll([{ stop }], () => prepare(sentinel, place, watch));
  return { port: place.port, pid: sentinel.pid, kill: sentinel.kill, stop };
}

async function prepare(sentinel: RunningProgram, { port }: SentinelAddress, watch: MonitoredMaster) {
  const report = () => `redis-sentinel does not respond:\n${sentinel.stdout()}${sentinel.stderr()}`;
  await eventually(async () => sentinel.hasExited() || (await acceptsConnections({ host: '127.0.0.1', port })), report);
  if (sentinel.hasExited()) throw new Error(report());
  const command = ['SENTINEL', 'DEBUG', ...Object.entries(periods).flat().map(String)] as const;
  await sendRedisCommand(port, command, sentinelCredentials(watch));
}

/** The credentials for commands to a sentinel. */
export function sentinelCredentials(watch: Pick<MonitoredMaster, 'sentinelPassword' | 'tls'>): RedisCredentials {
  const { sentinelPassword: password, tls } = watch;
  return { ...(password && { password }), ...(tls && { tls: tls.client }) };
}

/** Lists the replicas and sentinels that would otherwise be discovered one by one. */
function sentinelFile(place: SentinelAddress, watch: MonitoredMaster, folder: string): string {
  const { masterName: name, password, sentinelPassword } = watch;
  const others = watch.sentinels.filter(({ id }) => id !== place.id);
  const lines = [
    ...portLines(place, watch.tls),
    'bind 127.0.0.1',
    `dir ${folder}`,
    ...(sentinelPassword ? [`requirepass ${sentinelPassword}`] : []),
    `sentinel myid ${place.id}`,
    `sentinel monitor ${name} 127.0.0.1 ${watch.master} 2`,
    `sentinel down-after-milliseconds ${name} 500`,
    // A second would be too short: a promoted replica is asked for its new role only once a second. After twice that long, a
    // failover that has not succeeded begins again.
    `sentinel failover-timeout ${name} 2000`,
    `sentinel parallel-syncs ${name} ${watch.replicas.length}`,
    ...(password ? [`sentinel auth-pass ${name} ${password}`] : []),
    ...watch.replicas.map((port) => `sentinel known-replica ${name} 127.0.0.1 ${port}`),
    ...others.map(({ id, port }) => `sentinel known-sentinel ${name} 127.0.0.1 ${port} ${id}`),
  ];
  return `${lines.join('\n')}\n`;
}

function portLines({ port }: SentinelAddress, tls: RedisPki | undefined): string[] {
  if (!tls) return [`port ${port}`];
  const { cert, key, clientCa } = tls.server;
  const identity = [`tls-cert-file ${cert}`, `tls-key-file ${key}`, `tls-ca-cert-file ${clientCa}`];
  // To the master, the replicas and the other Sentinels.
  return ['port 0', `tls-port ${port}`, ...identity, 'tls-auth-clients yes', 'tls-replication yes'];
}
