import type { Redis } from 'ioredis';
import { askRedis } from '../support/ask-redis.ts';
import type { RedisNode } from '../support/redis-node.ts';
import type { Fault } from './fault.ts';
import { behindProxy, deployCluster, onSentinel, onServer, refusing } from './faulty-redis.ts';
import type { Replicas } from './replicas.ts';

const restartEmpty = async (node: RedisNode, replicas: Replicas, admin: Redis) => {
  await node.restart();
  // It is lost for a while, and written again.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await replicas.writeAll(admin);
};

/** What operators, networks and machines do to Redis. */
export const faults: readonly Fault[] = [
  {
    name: 'killed, comes back empty',
    tellsStrangers: false,
    lasts: 3_000,
    deploy: onServer({ inject: (node) => node.kill('SIGKILL'), mend: restartEmpty, canWriteDuring: false }),
  },
  {
    name: 'stopped (SIGSTOP)',
    tellsStrangers: false,
    lasts: 4_000,
    deploy: onServer({
      inject: (node) => node.kill('SIGSTOP'),
      mend: (node) => node.kill('SIGCONT'),
      canWriteDuring: false,
    }),
  },
  {
    name: 'CLIENT PAUSE 3 s',
    tellsStrangers: false,
    lasts: 3_000,
    deploy: onServer({ inject: (_, __, admin) => admin.client('PAUSE', 3_000), canWriteDuring: false }),
  },
  {
    name: '500 ms latency',
    tellsStrangers: false,
    lasts: 4_000,
    deploy: behindProxy((proxy) => proxy.setLatency(250)),
  },
  {
    name: 'half-open invalidation connection',
    tellsStrangers: true,
    lasts: 4_000,
    deploy: behindProxy((proxy) => proxy.freeze(({ sent }) => /subscribe/i.test(sent))),
  },
  {
    name: 'all connections half-open',
    tellsStrangers: true,
    lasts: 4_000,
    deploy: behindProxy((proxy) => proxy.freeze(() => true)),
  },
  {
    name: 'CLIENT KILL of all, ten times a second',
    tellsStrangers: true,
    lasts: 3_000,
    deploy: onServer({
      inject: async (_, __, admin) => {
        for (let times = 0; times < 30; times++) {
          for (const type of ['normal', 'pubsub']) await admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      },
    }),
  },
  {
    name: 'Sentinel failover',
    tellsStrangers: true,
    lasts: 5_000,
    deploy: onSentinel({ inject: (master) => master.kill('SIGKILL') }),
  },
  {
    name: 'planned Sentinel failover',
    tellsStrangers: true,
    lasts: 5_000,
    deploy: onSentinel({ inject: (_, port, name) => askRedis(port, ['SENTINEL', 'FAILOVER', name]) }),
  },
  {
    name: 'Sentinel failover, and the old master goes on',
    tellsStrangers: true,
    lasts: 6_000,
    deploy: onSentinel({ inject: (master) => master.kill('SIGSTOP'), afterwards: (old) => old.kill('SIGCONT') }),
  },
  { name: 'Cluster failover', tellsStrangers: true, lasts: 6_000, deploy: deployCluster },
  {
    name: 'FLUSHALL',
    tellsStrangers: false,
    lasts: 2_000,
    deploy: onServer({
      inject: (_, __, admin) => admin.flushall(),
      mend: (_, replicas, admin) => replicas.writeAll(admin),
    }),
  },
  {
    name: 'poisoned value under another key',
    tellsStrangers: true,
    lasts: 2_000,
    deploy: onServer({
      inject: async (_, { prefix }, admin) => {
        await admin.set(`${prefix}client:poisoned`, '{"client_id":');
        await admin.lpush(`${prefix}client:list`, 'x');
      },
    }),
  },
  {
    name: 'wrong password',
    tellsStrangers: false,
    lasts: 3_000,
    deploy: refusing(async (admin) => {
      await admin.call('ACL', 'SETUSER', 'server', 'resetpass', '>other');
      for (const type of ['normal', 'pubsub']) await admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    }),
  },
  {
    name: 'ACL taken away',
    tellsStrangers: false,
    lasts: 3_000,
    deploy: refusing((admin) => admin.call('ACL', 'SETUSER', 'server', 'resetkeys', 'resetchannels', '-@all')),
  },
  {
    name: 'near cache full (3 of 6 fit)',
    tellsStrangers: true,
    lasts: 2_000,
    deploy: onServer({ inject: () => {}, env: { COUNTERSIGN_CLIENT_CACHE_ENTRIES: '3' } }),
  },
];
