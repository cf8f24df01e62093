import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { registeredKeys } from '../../src/clients/registered-identities.ts';
import type { Registry } from '../../src/clients/registry/registry.ts';
import { registryKeys } from '../../src/clients/registry/registry.ts';
import { selfSigned } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { programPath } from '../support/program-path.ts';
import { sendRequest } from '../support/raw-http.ts';
import { openRedisRegistry } from '../support/redis-registry.ts';
import { type RunningRedis, startRedis } from '../support/redis-server.ts';
import { registeredClient } from '../support/registered-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const [caller, other] = [selfSigned(), selfSigned()];
const lines = [`X-SSL-Client-Cert: ${encodeURIComponent(caller.pem)}`];
const client = {
  client_id: 'billing',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint: caller.thumbprint }],
  scope: 'read write',
  audience: ['https://api.example', 'https://other.example'],
};
const resource = { name: 'api', resource: 'https://api.example', scope: 'read', binding: 'caller' };
const keys = registryKeys('countersign:');
const clientKey = `${keys.clientPrefix}billing`;
const resourceKey = `${keys.resourcePrefix}api`;

describeWith(['redis-server'], 'an edge that no invalidation reaches, so that each check loads the records,', () => {
  let server: RunningRedis;
  let redis: Redis;
  let registry: Registry;
  let edge: EdgeServer;
  beforeAll(async () => {
    const aclRules = ['uninformed on nopass resetchannels -@all %R~* +@read +@connection +info -client'];
    server = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory(), aclRules });
    redis = new Redis(server.port);
    for (const key of registeredKeys(registeredClient(client))) {
      await redis.sadd(`${keys.identityPrefix}${key}`, client.client_id);
    }
    const url = `redis://uninformed:x@127.0.0.1:${server.port}`;
    const opened = await openRedisRegistry(url, { prefix: 'countersign:', servesEdge: true });
    registry = opened.registry;
    await eventually(
      () => opened.modes.at(-1) === 'none',
      () => `${opened.modes}`,
    );
    edge = await startEdge({ clients: [], resources: [] });
    edge.replaced.registry = registry;
  });
  afterAll(async () => {
    await edge?.close();
    await registry?.close();
    redis?.disconnect();
    await server?.stop();
  });
  beforeEach(() => store({}, {}));

  const store = async (fieldsOfClient: object, fieldsOfResource: object) => {
    await redis.set(clientKey, JSON.stringify({ ...client, ...fieldsOfClient }));
    await redis.set(resourceKey, JSON.stringify({ ...resource, ...fieldsOfResource }));
  };
  async function mint() {
    const response = await sendRequest(edge.url, { method: 'GET', path: '/edge/mint/api', lines });
    const token = response.headers.get('authorization') ?? undefined;
    return { status: response.status, token, error: response.headers.get('x-countersign-error') };
  }

  test('reuses a token while the stored records are the same', async () => {
    const { token } = await mint();
    const { misses = 0 } = registry.remote ?? {};
    expect(await mint()).toEqual({ status: 200, token, error: null });
    expect(registry.remote?.misses).toBe(misses + 1);
    // Written again, by `clients apply` for example.
    await store({}, {});
    expect(await mint()).toEqual({ status: 200, token, error: null });
  });

  const changes: [string, object, object][] = [
    ['client: claims', { claims: { tenant: 'a' } }, {}],
    ['client: access_token_lifetime', { access_token_lifetime: 30 }, {}],
    ['client: access_token_scope_claim', { access_token_scope_claim: 'array' }, {}],
    ['client: token_rate', { token_rate: '5/m' }, {}],
    ['client: audience', { audience: ['https://api.example'] }, {}],
    ['client: scope', { scope: 'read' }, {}],
    ['client: certificates', { certificates: [...client.certificates, { thumbprint: other.thumbprint }] }, {}],
    ['resource: scope', {}, { scope: 'read write' }],
    ['resource: access_token_lifetime', {}, { access_token_lifetime: 30 }],
    ['resource: resource', {}, { resource: 'https://other.example' }],
    ['resource: binding', {}, { binding: 'proxy', proxy_thumbprints: [other.thumbprint] }],
  ];
  test.each(changes)('mints anew once another value is stored for %s', async (_, ofClient, ofResource) => {
    const { token: before } = await mint();
    await store(ofClient, ofResource);
    const { status, token: after } = await mint();
    expect([status, after === before]).toEqual([200, false]);
    expect((await mint()).token).toBe(after);
  });

  const denials: [string, object, object, number, string][] = [
    ['client is disabled', { enabled: false }, {}, 401, 'invalid_client'],
    ['certificate is removed', { certificates: [{ thumbprint: other.thumbprint }] }, {}, 401, 'invalid_client'],
    [
      'certificate ends',
      { certificates: [{ ...client.certificates[0], not_after: '2026-01-01T00:00:00Z' }] },
      {},
      401,
      'invalid_client',
    ],
    ['client loses the scope', { scope: 'write' }, {}, 403, 'insufficient_scope'],
    ['client loses the audience', { audience: ['https://other.example'] }, {}, 403, 'insufficient_scope'],
    ['resource needs another scope', {}, { scope: 'admin' }, 403, 'insufficient_scope'],
    ['record of the client becomes invalid', { scopes: '' }, {}, 401, 'invalid_client'],
    ['record of the resource becomes invalid', {}, { scopes: '' }, 403, 'unknown_route'],
  ];
  test.each(denials)(
    'rejects at once when the %s, and approves again',
    async (_, ofClient, ofResource, status, error) => {
      expect((await mint()).status).toBe(200);
      await store(ofClient, ofResource);
      expect(await mint()).toEqual({ status, token: undefined, error });
      await store({}, {});
      expect((await mint()).status).toBe(200);
    },
  );

  test.each([
    ['client', clientKey, 401],
    ['resource', resourceKey, 403],
  ])('rejects at once when the record of the %s is removed', async (_, key, status) => {
    expect((await mint()).status).toBe(200);
    await redis.del(key);
    expect((await mint()).status).toBe(status);
  });
});
