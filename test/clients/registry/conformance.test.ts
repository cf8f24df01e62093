import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readClientsFiles } from '../../../src/clients/files/read-clients-files.ts';
import { createMemoryRegistry } from '../../../src/clients/registry/memory-registry.ts';
import type { Registry } from '../../../src/clients/registry/registry.ts';
import { describeWith } from '../../support/describe-with.ts';
import { eventually } from '../../support/eventually.ts';
import { defaultPolicy } from '../../support/policy.ts';
import { programPath } from '../../support/program-path.ts';
import type { ProgramName } from '../../support/programs.ts';
import { connectRedis, keyPrefix, redisUrl } from '../../support/redis.ts';
import { startClusterDeployment } from '../../support/redis-cluster.ts';
import { openRedisRegistry } from '../../support/redis-registry.ts';
import { startSentinelDeployment } from '../../support/redis-sentinel.ts';
import { startTlsRedis } from '../../support/redis-tls.ts';
import { serverAclRule } from '../../support/server-acl.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

type ClientRecord = { readonly client_id: string; readonly [field: string]: unknown };

const named = { token_endpoint_auth_method: 'tls_client_auth' };
const records: ClientRecord[] = [
  { client_id: 'a', ...named, tls_client_auth_subject_dn: 'CN=a', scope: 'x y' },
  { client_id: 'https://b.example/{b}:*', ...named, tls_client_auth_san_dns: 'b' },
  { client_id: 'off', ...named, tls_client_auth_san_dns: 'c', enabled: false },
];

/** A deployed store of one kind. */
interface Store {
  readonly registry: Registry;
  /** As another writer; removes the client if there is no record. */
  readonly write: (clientId: string, record?: ClientRecord) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const password = 'least-privilege';
const redis: ProgramName[] = ['redis-server'];

const stores: [string, ProgramName[], () => Promise<Store>][] = [
  ['memory', [], openMemory],
  ['Redis', redis, openPlain],
  ['Redis over TLS, as a user with the least permissions', redis, openTls],
  ['Redis with Sentinels', redis, openSentinel],
  ['a Redis Cluster, as a user with the least permissions', redis, openCluster],
];

for (const [name, programs, open] of stores) {
  describeWith(programs, `a registry in ${name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store?.stop());

    test('finds each client by its client_id', async () => {
      for (const { client_id } of records) expect((await store.registry.find(client_id))?.clientId).toBe(client_id);
      expect(await store.registry.find('a')).toMatchObject({ scopes: ['x', 'y'], enabled: true });
    });

    test('finds a disabled client as disabled', async () => {
      expect(await store.registry.find('off')).toMatchObject({ enabled: false });
    });

    test.each(['A', 'a ', 'b', '', '*', 'toString', '__proto__', 'client:a'])(
      'finds no client for %j',
      async (clientId) => {
        expect(await store.registry.find(clientId)).toBeUndefined();
      },
    );

    // Several: in a Cluster their keys are on different masters.
    test.each(['d', 'e', 'f', 'g', 'h'])(
      'propagates changes, removal and addition of %j within a second',
      async (clientId) => {
        const find = async () => (await store.registry.find(clientId))?.scopes.join(' ');
        expect(await find()).toBeUndefined();
        for (const scope of ['one', 'two', undefined, 'three']) {
          const record = { client_id: clientId, ...named, tls_client_auth_san_dns: clientId, scope };
          await store.write(clientId, scope === undefined ? undefined : record);
          await eventually(
            async () => (await find()) === scope,
            () => `the scope is not ${scope}`,
            1_000,
          );
        }
      },
    );

    test('is ready', () => {
      expect(store.registry.notReadyReason).toBeUndefined();
    });

    test('has a description without secrets', () => {
      expect(store.registry.description).not.toContain(password);
    });
  });
}

async function openMemory(): Promise<Store> {
  const file = join(temporaryDirectory(), 'clients.json');
  const all = new Map(records.map((record) => [record.client_id, record]));
  const read = async () => {
    writeFileSync(file, JSON.stringify({ clients: [...all.values()] }));
    const { clients, errors } = await readClientsFiles([file], defaultPolicy, Date.now());
    expect(errors).toEqual([]);
    return new Map(clients.map((client) => [client.clientId, client]));
  };
  let clients = await read();
  const registry = createMemoryRegistry({ current: () => ({ clients, resources: new Map() }), stop: () => {} }, file);
  const write = async (clientId: string, record?: ClientRecord) => {
    if (record) all.set(clientId, record);
    else all.delete(clientId);
    clients = await read();
  };
  return { registry, write, stop: registry.close };
}

async function openPlain(): Promise<Store> {
  const prefix = keyPrefix();
  return openOver(redisUrl(), prefix, {}, connectRedis().client, async () => {});
}

async function openTls(): Promise<Store> {
  const prefix = keyPrefix();
  const directory = temporaryDirectory();
  const server = await startTlsRedis({
    program: programPath('redis-server'),
    directory,
    clientCertificates: true,
    aclRules: [serverAclRule(prefix, password)],
  });
  const { ca, client } = server;
  const tls = { ca: ca.pem, cert: client.pem, key: client.privateKeyPem };
  const url = server.url.replace('//', `//server:${password}@`);
  return openOver(url, prefix, tls, new Redis(server.socket), server.stop);
}

async function openSentinel(): Promise<Store> {
  const deployment = await startSentinelDeployment({ directory: temporaryDirectory(), password });
  const { port } = await deployment.currentMaster();
  const sentinels = deployment.sentinelPorts.map((each) => `127.0.0.1:${each}`).join(',');
  const url = `redis+sentinel://:${password}@${sentinels}/${deployment.masterName}`;
  return openOver(url, keyPrefix(), {}, new Redis({ port, password }), deployment.stop);
}

async function openCluster(): Promise<Store> {
  const prefix = keyPrefix();
  const rule = serverAclRule(prefix, password, true).split(' ');
  const deployment = await startClusterDeployment({ directory: temporaryDirectory(), args: ['--user', ...rule] });
  const nodes = deployment.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  const url = `redis+cluster://server:${password}@127.0.0.1:${nodes[0]?.port},127.0.0.1:${nodes[1]?.port}`;
  return openOver(url, prefix, {}, new Cluster(nodes), deployment.stop);
}

async function openOver(
  url: string,
  prefix: string,
  tls: { ca?: string; cert?: string; key?: string },
  writer: Redis | Cluster,
  stopDeployment: () => Promise<unknown>,
): Promise<Store> {
  const write = async (clientId: string, record?: ClientRecord) => {
    const key = `${prefix}client:${clientId}`;
    await (record ? writer.set(key, JSON.stringify(record)) : writer.del(key));
  };
  for (const record of records) await write(record.client_id, record);
  const { registry, modes, problems } = await openRedisRegistry(url, { prefix, tls });
  await eventually(
    () => modes.at(-1) === 'tracking',
    () => `not tracked: ${problems}, ${modes}`,
    5_000,
  );
  const stop = async () => {
    await registry.close();
    writer.disconnect();
    await stopDeployment();
  };
  return { registry, write, stop };
}
