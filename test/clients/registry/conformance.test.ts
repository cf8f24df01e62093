import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readClientsFiles } from '../../../src/clients/files/read-clients-files.ts';
import { parseClient } from '../../../src/clients/parse-client.ts';
import { registeredKeys } from '../../../src/clients/registered-identities.ts';
import { createMemoryRegistry, type Records } from '../../../src/clients/registry/memory-registry.ts';
import type { Registry } from '../../../src/clients/registry/registry.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { parseResource } from '../../../src/resources/parse-resource.ts';
import { audienceKey, type Resource } from '../../../src/resources/resource.ts';
import { selfSigned, thumbprintOf } from '../../support/certificates.ts';
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
import { audienceAclRules, edgeAclRules, serverAclRule } from '../../support/server-acl.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

type ClientRecord = { readonly client_id: string; readonly [field: string]: unknown };
type ResourceRecord = { readonly name: string; readonly [field: string]: unknown };

const selfSignedMethod = { token_endpoint_auth_method: 'self_signed_tls_client_auth' };
const named = { token_endpoint_auth_method: 'tls_client_auth' };
const records: ClientRecord[] = [
  { client_id: 'a', ...named, tls_client_auth_subject_dn: 'CN=a', scope: 'x y' },
  { client_id: 'https://b.example/{b}:*', ...named, tls_client_auth_san_dns: 'b' },
  { client_id: 'off', ...named, tls_client_auth_san_dns: 'c', enabled: false },
];

const resources: ResourceRecord[] = [
  { name: 'orders', resource: 'https://orders.example', scope: 'read write', binding: 'caller' },
  { name: 'stock-2', resource: 'https://stock.example', scope: 'read', binding: 'caller', forward: 'none' },
  { name: 'two', resource: 'https://shared.example', scope: 'read', binding: 'caller' },
  { name: 'one', resource: 'https://shared.example', scope: 'write', binding: 'caller' },
];
const resourceFields = { resource: 'https://x.example', binding: 'caller' };

/** A certificate of clients with each kind of identity. */
const identity = selfSigned({ subject: [['CN', 'many']], dns: ['many.example'], uris: ['spiffe://example/many'] });
const certificate = parseClientCertificate(identity.der);
const pinned = { tls_client_auth_ca: [thumbprintOf(identity.der)] };
/** How one client registers a certificate, and how another one does, if differently. */
const registrations: [string, object, object?][] = [
  ['subject', { ...named, tls_client_auth_subject_dn: 'CN=many' }],
  ['DNS name', { ...named, tls_client_auth_san_dns: 'MANY.example' }],
  ['URI', { ...named, tls_client_auth_san_uri: 'spiffe://example/many' }],
  [
    'SPIFFE ID, or a pattern',
    { ...named, ...pinned, tls_client_auth_spiffe_id: 'spiffe://example/many' },
    { ...named, ...pinned, tls_client_auth_spiffe_id: 'spiffe://example/*' },
  ],
  ['thumbprint', { ...selfSignedMethod, certificates: [{ thumbprint: identity.thumbprint }] }],
  ['certificate', { ...selfSignedMethod, certificates: [{ pem: identity.pem }] }],
];

/** A deployed store of one kind. */
interface Store {
  readonly registry: Registry;
  /** As another writer; removes the client if there is no record. */
  readonly write: (clientId: string, record?: ClientRecord) => Promise<void>;
  /** Likewise. */
  readonly writeResource: (name: string, record?: ResourceRecord) => Promise<void>;
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

const TOO_MANY_IDENTITIES = expect.stringMatching(/^the certificate has 65 identities .* at most 64$/);

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

    test.each(registrations)(
      'finds the clients of a certificate that register its %s',
      async (_, fields, ofTwo = fields) => {
        const findIds = async () =>
          (await store.registry.findByCertificate(certificate, true)).map(({ clientId }) => clientId).sort();
        const untilFound = (...expected: string[]) =>
          eventually(
            async () => (await findIds()).join() === expected.join(),
            () => `not found: ${expected}`,
            1_000,
          );
        expect(await findIds()).toEqual([]);
        await store.write('one', { client_id: 'one', ...fields });
        await untilFound('one');
        await store.write('two', { client_id: 'two', ...ofTwo, enabled: false });
        await untilFound('one', 'two');
        await store.write('one', { client_id: 'one', ...named, tls_client_auth_subject_dn: 'CN=renamed' });
        await untilFound('two');
        await store.write('two');
        await untilFound();
        await store.write('one');
      },
    );

    test.each(['spiffe://example/many', 'spiffe://example/*'])(
      'finds the client of a certificate whose SPIFFE ID matches %s',
      async (tls_client_auth_spiffe_id) => {
        const fields = { ...named, tls_client_auth_spiffe_id, tls_client_auth_ca: [identity.thumbprint] };
        const findIds = async () =>
          (await store.registry.findByCertificate(certificate, true)).map((each) => each.clientId);
        for (const expected of ['workload', '']) {
          await store.write('workload', expected === '' ? undefined : { client_id: expected, ...fields });
          await eventually(
            async () => (await findIds()).join() === expected,
            () => `not found: ${expected}`,
            1_000,
          );
        }
      },
    );

    test.each([
      [61, 'any'],
      [62, 'no'],
    ])('looks up a certificate with %d SANs by %s of its identities', async (count) => {
      const dns = Array.from({ length: count }, (_, index) => `${index}.example`);
      const found = store.registry.findByCertificate(parseClientCertificate(selfSigned({ dns }).der), true);
      if (count === 61) expect(await found).toEqual([]);
      else await expect(found).rejects.toMatchObject({ error: 'invalid_client', reason: TOO_MANY_IDENTITIES });
    });

    test.each([
      // Its ID, the 41 patterns that match it, its thumbprint, key and subject: 45.
      [19, 'any'],
      [20, 'no'],
    ])('looks up an SVID with %d other SANs by %s of its identities and patterns', async (count) => {
      const dns = Array.from({ length: count }, (_, index) => `${index}.example`);
      const uris = ['spiffe://example/a/b/c/d/e/f'];
      const found = store.registry.findByCertificate(parseClientCertificate(selfSigned({ dns, uris }).der), true);
      if (count === 19) expect(await found).toEqual([]);
      else await expect(found).rejects.toMatchObject({ error: 'invalid_client', reason: TOO_MANY_IDENTITIES });
    });

    test('finds each resource by its name', async () => {
      for (const { name, resource } of resources)
        expect(await store.registry.findResource(name)).toMatchObject({ name, audience: resource });
      expect(await store.registry.findResource('orders')).toMatchObject({ scopes: ['read', 'write'] });
    });

    test.each(['o', 'orders-', 'a', 'to-string'])('finds no resource for %j', async (name) => {
      expect(await store.registry.findResource(name)).toBeUndefined();
    });

    test.each(['p', 'q', 'r'])('propagates changes, removal and addition of resource %j', async (name) => {
      const find = async () => (await store.registry.findResource(name))?.scopes.join(' ');
      for (const scope of ['one', 'two', undefined, 'three']) {
        await store.writeResource(name, scope === undefined ? undefined : { name, ...resourceFields, scope });
        await eventually(
          async () => (await find()) === scope,
          () => `the scope is not ${scope}`,
          1_000,
        );
      }
    });

    test('finds the resources of an audience, sorted by name, and no other', async () => {
      const namesOf = async (audience: string) =>
        (await store.registry.findResourcesByAudience(audience)).map(({ name }) => name);
      expect(await namesOf('https://orders.example')).toEqual(['orders']);
      expect(await namesOf('https://shared.example')).toEqual(['one', 'two']);
      for (const equivalent of ['https://orders.example/', 'https://ORDERS.example:443'])
        expect(await namesOf(equivalent)).toEqual(['orders']);
      for (const other of ['', 'orders', 'https://orders.example/a', 'http://orders.example', '*', '\0', '__proto__'])
        expect(await namesOf(other)).toEqual([]);
    });

    test('propagates changes, removal and addition of the resources of an audience within a second', async () => {
      const find = async (audience: string) =>
        (await store.registry.findResourcesByAudience(audience))
          .map(({ name, signingAlgorithm = '' }) => `${name} ${signingAlgorithm}`)
          .join();
      const [one, other] = ['urn:example:one', 'urn:example:other'];
      expect([await find(one), await find(other)]).toEqual(['', '']);
      const steps: [name: string, fields: object | undefined, ofOne: string, ofOther: string][] = [
        ['s', { resource: one }, 's ', ''],
        ['s', { resource: one, signing_alg: 'ES384' }, 's ES384', ''],
        ['r', { resource: one }, 'r ,s ES384', ''],
        ['s', { resource: other }, 'r ', 's '],
        ['r', undefined, '', 's '],
        ['s', undefined, '', ''],
        ['s', { resource: one }, 's ', ''],
      ];
      for (const [name, fields, ofOne, ofOther] of steps) {
        await store.writeResource(name, fields && { name, ...resourceFields, scope: 'x', ...fields });
        await eventually(
          async () => (await find(one)) === ofOne && (await find(other)) === ofOther,
          () => `not found: ${ofOne} and ${ofOther}`,
          1_000,
        );
      }
    });

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
  const all = {
    clients: new Map(records.map((record) => [record.client_id, record])),
    resources: new Map(resources.map((record) => [record.name, record])),
  };
  const read = async (): Promise<Records> => {
    writeFileSync(file, JSON.stringify({ clients: [...all.clients.values()] }));
    const { clients, errors } = await readClientsFiles([file], defaultPolicy, Date.now());
    expect(errors).toEqual([]);
    return {
      clients: new Map(clients.map((client) => [client.clientId, client])),
      resources: new Map([...all.resources].map(([name, record]) => [name, resourceOf(record)])),
    };
  };
  let current = await read();
  const registry = createMemoryRegistry({ current: () => current, stop: () => {} }, file);
  const writer =
    <Record>(to: Map<string, Record>) =>
    async (name: string, record?: Record) => {
      if (record) to.set(name, record);
      else to.delete(name);
      current = await read();
    };
  return { registry, write: writer(all.clients), writeResource: writer(all.resources), stop: registry.close };
}

function resourceOf(record: ResourceRecord): Resource {
  const parsed = parseResource(record, defaultPolicy);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.resource;
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
    aclRules: [`${serverAclRule(prefix, password)} ${edgeAclRules(prefix)} ${audienceAclRules(prefix)}`],
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
  const rule = `${serverAclRule(prefix, password, true)} ${edgeAclRules(prefix)} ${audienceAclRules(prefix)}`.split(
    ' ',
  );
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
  const index = new Map<string, readonly string[]>();
  const write = async (clientId: string, record?: ClientRecord) => {
    const [before, after] = [index.get(clientId) ?? [], record ? indexKeysOf(record) : []];
    for (const key of after) await writer.sadd(`${prefix}identity:${key}`, clientId);
    const key = `${prefix}client:${clientId}`;
    await (record ? writer.set(key, JSON.stringify(record)) : writer.del(key));
    for (const key of before) if (!after.includes(key)) await writer.srem(`${prefix}identity:${key}`, clientId);
    index.set(clientId, after);
  };
  const audiences = new Map<string, string>();
  const writeResource = async (name: string, record?: ResourceRecord) => {
    const [before, after] = [
      audiences.get(name),
      record && `${prefix}audience:${audienceKey(String(record.resource))}`,
    ];
    if (after) await writer.sadd(after, name);
    const key = `${prefix}resource:${name}`;
    await (record ? writer.set(key, JSON.stringify(record)) : writer.del(key));
    if (before && before !== after) await writer.srem(before, name);
    if (after) audiences.set(name, after);
    else audiences.delete(name);
  };
  for (const record of records) await write(record.client_id, record);
  for (const record of resources) await writeResource(record.name, record);
  const { registry, modes, problems } = await openRedisRegistry(url, { prefix, tls, servesEdge: true });
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
  return { registry, write, writeResource, stop };
}

function indexKeysOf(record: ClientRecord): readonly string[] {
  const parsed = parseClient(record, defaultPolicy, Date.now());
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return registeredKeys(parsed.client);
}
