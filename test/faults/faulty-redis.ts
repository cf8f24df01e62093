import { Cluster, Redis } from 'ioredis';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { programPath } from '../support/program-path.ts';
import { startClusterDeployment } from '../support/redis-cluster.ts';
import { type RedisNode, startRedisNode } from '../support/redis-node.ts';
import { type SentinelDeployment, startSentinelDeployment } from '../support/redis-sentinel.ts';
import { sendRedisCommand } from '../support/send-redis-command.ts';
import { serverAclRule } from '../support/server-acl.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { Fault, FaultyRedis } from './fault.ts';
import type { Replicas } from './replicas.ts';

interface ServerFault {
  readonly inject: (node: RedisNode, replicas: Replicas, admin: Redis) => unknown;
  readonly recover?: (node: RedisNode, replicas: Replicas, admin: Redis) => unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly isWritableDuring?: boolean;
}

const password = 'right';
const start = () => startRedisNode({ program: programPath('redis-server'), directory: temporaryDirectory() });
/** Without a listener, ioredis would log the errors that the fault causes. */
const ignoreErrors = (client: Redis) => client.on('error', () => {});

/** One server. */
export function onServer({ inject, recover, env = {}, isWritableDuring = true }: ServerFault): Fault['deploy'] {
  return async () => {
    const node = await start();
    const admin = ignoreErrors(new Redis({ port: node.port }));
    return {
      url: `redis://127.0.0.1:${node.port}`,
      env,
      writer: async () => admin,
      writerDuring: async () => (isWritableDuring ? admin : undefined),
      inject: async (replicas) => void (await inject(node, replicas, admin)),
      recover: async (replicas) => void (await recover?.(node, replicas, admin)),
      stop: async () => {
        admin.disconnect();
        await node.stop();
      },
    };
  };
}

/** One server behind a fault proxy. */
export function behindProxy(inject: (proxy: Awaited<ReturnType<typeof startFaultProxy>>) => unknown): Fault['deploy'] {
  return async () => {
    const node = await start();
    const proxy = await startFaultProxy({ target: { port: node.port } });
    const admin = ignoreErrors(new Redis({ port: node.port }));
    return {
      url: proxy.url,
      writer: async () => admin,
      writerDuring: async () => admin,
      inject: async () => void inject(proxy),
      recover: async () => proxy.setLatency(0),
      stop: async () => {
        admin.disconnect();
        await proxy.stop();
        await node.stop();
      },
    };
  };
}

/** One server whose `inject` revokes the access of the replicas. */
export function withAccessControl(inject: (admin: Redis, replicas: Replicas) => unknown): Fault['deploy'] {
  return async () => {
    const node = await start();
    const admin = ignoreErrors(new Redis({ port: node.port }));
    const allow = ({ prefix }: Replicas | { prefix: string }) =>
      admin.call(
        'ACL',
        'SETUSER',
        ...serverAclRule(prefix, password).replace('server on', 'server reset on').split(' '),
      );
    await allow({ prefix: 'test:*' });
    return {
      url: `redis://server:${password}@127.0.0.1:${node.port}`,
      writer: async () => admin,
      writerDuring: async () => undefined,
      inject: async (replicas) => void (await inject(admin, replicas)),
      recover: async () => void (await allow({ prefix: 'test:*' })),
      stop: async () => {
        admin.disconnect();
        await node.stop();
      },
    };
  };
}

/**
 * The default periods of Sentinel, which test/support shortens: a replaced master is left alone for that long. PING-PERIOD
 * stays short: with rare PINGs, the new master would seem to be down as well, and lose what was written to it.
 */
const defaultPeriods = 'INFO-PERIOD 10000 ASK-PERIOD 1000 PUBLISH-PERIOD 2000'.split(' ');

interface SentinelFault {
  readonly inject: (master: RedisNode, deployment: SentinelDeployment) => unknown;
  /** Called when the sentinels have replaced the master. */
  readonly onReplaced?: (old: RedisNode) => void;
}

/** A master that Sentinel replaces by one of its two replicas. */
export function onSentinel({ inject, onReplaced }: SentinelFault): Fault['deploy'] {
  return async () => {
    const deployment = await startSentinelDeployment({ directory: temporaryDirectory() });
    const { sentinelPorts, masterName } = deployment;
    for (const port of sentinelPorts) await sendRedisCommand(port, ['SENTINEL', 'DEBUG', ...defaultPeriods]);
    const clients: Redis[] = [];
    const writer = async (node: RedisNode) => {
      const client = ignoreErrors(new Redis({ port: node.port }));
      clients.push(client);
      return client;
    };
    const first = await deployment.currentMaster();
    return {
      url: `redis+sentinel://${sentinelPorts.map((port) => `127.0.0.1:${port}`).join(',')}/${masterName}`,
      writer: async () => writer(await deployment.currentMaster()),
      writerDuring: async () => {
        const next = await writer(await deployment.masterAfter(first));
        onReplaced?.(first);
        return next;
      },
      inject: async () => void (await inject(first, deployment)),
      stop: async () => {
        for (const client of clients) client.disconnect();
        await deployment.stop();
      },
    };
  };
}

/** Three masters with a replica each; the fault kills the master that holds the victim's record. */
export async function deployCluster(): Promise<FaultyRedis> {
  const deployment = await startClusterDeployment({ directory: temporaryDirectory(), replicas: 1 });
  const nodes = deployment.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  const admin = new Cluster(nodes, { redisOptions: { commandTimeout: 1_000 } });
  admin.on('error', () => {});
  let [key, dead]: [string, RedisNode | undefined] = ['', undefined];
  const isReplaced = async () => {
    const master = dead && (await deployment.masterOfKey(key).catch(() => dead));
    return master !== dead;
  };
  return {
    url: `redis+cluster://${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`,
    writer: async () => admin,
    writerDuring: async () => {
      await eventually(isReplaced, () => 'no replica was promoted', 10_000);
      return admin;
    },
    inject: async ({ prefix }) => {
      key = `${prefix}client:victim`;
      dead = await deployment.masterOfKey(key);
      dead.kill('SIGKILL');
    },
    stop: async () => {
      admin.disconnect();
      await deployment.stop();
    },
  };
}
