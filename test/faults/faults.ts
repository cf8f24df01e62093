import type { Redis } from 'ioredis';
import type { RedisNode } from '../support/redis-node.ts';
import type { Fault } from './fault.ts';
import { behindProxy, deployCluster, onSentinel, onServer, withAccessControl } from './faulty-redis.ts';
import type { Replicas } from './replicas.ts';

const restartEmpty = async (node: RedisNode, replicas: Replicas, admin: Redis) => {
  await node.restart();
  // The records are gone for a while before they are written again.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await replicas.writeAll(admin);
};

/** Faults that operators, networks and machines cause. */
export const faults: readonly Fault[] = [
  {
    name: 'killed, comes back empty',
    servesUnknownClients: false,
    durationMilliseconds: 3_000,
    deploy: onServer({ inject: (node) => node.kill('SIGKILL'), recover: restartEmpty, isWritableDuring: false }),
  },
  {
    name: 'stopped (SIGSTOP)',
    servesUnknownClients: false,
    durationMilliseconds: 4_000,
    deploy: onServer({
      inject: (node) => node.kill('SIGSTOP'),
      recover: (node) => node.kill('SIGCONT'),
      isWritableDuring: false,
    }),
  },
  {
    name: 'CLIENT PAUSE 3 s',
    servesUnknownClients: false,
    durationMilliseconds: 3_000,
    deploy: onServer({ inject: (_, __, admin) => admin.client('PAUSE', 3_000), isWritableDuring: false }),
  },
  {
    name: '500 ms latency',
    servesUnknownClients: false,
    durationMilliseconds: 4_000,
    deploy: behindProxy((proxy) => proxy.setLatency(250)),
  },
  {
    name: 'half-open invalidation connection',
    servesUnknownClients: true,
    durationMilliseconds: 4_000,
    deploy: behindProxy((proxy) => proxy.freeze(({ sent }) => /subscribe/i.test(sent))),
  },
  {
    name: 'all connections half-open',
    servesUnknownClients: true,
    durationMilliseconds: 4_000,
    deploy: behindProxy((proxy) => proxy.freeze(() => true)),
  },
  {
    name: 'CLIENT KILL of all, ten times a second',
    servesUnknownClients: true,
    durationMilliseconds: 3_000,
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
    servesUnknownClients: true,
    durationMilliseconds: 5_000,
    deploy: onSentinel({ inject: (master) => master.kill('SIGKILL') }),
  },
  {
    name: 'planned Sentinel failover',
    servesUnknownClients: true,
    durationMilliseconds: 5_000,
    deploy: onSentinel({ inject: (_, deployment) => deployment.failOver() }),
  },
  {
    name: 'Sentinel failover, the old master stays up',
    servesUnknownClients: true,
    durationMilliseconds: 6_000,
    deploy: onSentinel({ inject: (master) => master.kill('SIGSTOP'), onReplaced: (old) => old.kill('SIGCONT') }),
  },
  { name: 'Cluster failover', servesUnknownClients: true, durationMilliseconds: 6_000, deploy: deployCluster },
  {
    name: 'FLUSHALL',
    servesUnknownClients: false,
    durationMilliseconds: 2_000,
    deploy: onServer({
      inject: (_, __, admin) => admin.flushall(),
      recover: (_, replicas, admin) => replicas.writeAll(admin),
    }),
  },
  {
    name: 'malformed record of another client',
    servesUnknownClients: true,
    durationMilliseconds: 2_000,
    deploy: onServer({
      inject: async (_, { prefix }, admin) => {
        await admin.set(`${prefix}client:poisoned`, '{"client_id":');
        await admin.lpush(`${prefix}client:list`, 'x');
      },
    }),
  },
  {
    name: 'wrong password',
    servesUnknownClients: false,
    durationMilliseconds: 3_000,
    deploy: withAccessControl(async (admin) => {
      await admin.call('ACL', 'SETUSER', 'server', 'resetpass', '>other');
      for (const type of ['normal', 'pubsub']) await admin.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    }),
  },
  {
    name: 'ACL revoked',
    servesUnknownClients: false,
    durationMilliseconds: 3_000,
    deploy: withAccessControl((admin) => admin.call('ACL', 'SETUSER', 'server', 'resetkeys', 'resetchannels', '-@all')),
  },
  {
    name: 'near cache full (3 of 6 fit)',
    servesUnknownClients: true,
    durationMilliseconds: 2_000,
    // A busy machine may take longer than the usual timeout of the replicas, although nothing is wrong with Redis.
    deploy: onServer({
      inject: () => {},
      env: { COUNTERSIGN_CLIENT_CACHE_ENTRIES: '3', COUNTERSIGN_REDIS_TIMEOUT: '5s' },
    }),
  },
];
