import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identitiesOfCertificate, identityKey } from '../../src/clients/identities.ts';
import { describeListenAddress, type ListenAddress } from '../../src/http/listen-address.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { type ServiceInProcess, startServiceInProcess } from '../support/service.ts';
import { signJws } from '../support/sign-jws.ts';

const caller = selfSigned();
const client = {
  client_id: 'a',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ pem: caller.pem }],
  scope: 'read',
  audience: 'https://api.example',
};
const resource = {
  name: 'api',
  resource: 'https://api.example',
  scope: 'read',
  binding: 'caller',
  forward: 'original',
};

describeWith(['redis-server'], 'a server with its keyring in Redis', () => {
  const prefix = keyPrefix();
  const keyEncryptionKey = randomBytes(32).toString('base64url');
  const env = {
    COUNTERSIGN_REDIS_URL: redisUrl(),
    COUNTERSIGN_REDIS_KEY_PREFIX: prefix,
    COUNTERSIGN_KEY_ENCRYPTION_KEY: keyEncryptionKey,
  };
  const keys = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCountersign(['keys', ...args], { env });
    expect([code, stderr], stdout).toEqual([0, expect.any(String)]);
  };
  let redis: Redis;
  let service: ServiceInProcess;
  beforeAll(async () => {
    redis = new Redis(redisUrl());
    await redis.set(`${prefix}client:a`, JSON.stringify(client));
    await redis.set(`${prefix}resource:api`, JSON.stringify(resource));
    const [identity] = identitiesOfCertificate(parseClientCertificate(caller.der));
    if (identity) await redis.sadd(`${prefix}identity:${identityKey(identity)}`, 'a');
    service = await startServiceInProcess(createTestCa().pem, {
      ...env,
      COUNTERSIGN_SIGNING_KEY: '',
      COUNTERSIGN_EDGE_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_OPERATIONS_LISTEN: '127.0.0.1:0',
    });
  });
  afterAll(async () => {
    redis?.disconnect();
    await service?.close();
  });

  const get = async (address: ListenAddress | undefined, path: string, headers: Record<string, string> = {}) => {
    if (!address) throw new Error('there is no such listener');
    const response = await fetch(`${describeListenAddress(address)}${path}`, { headers });
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  const jwks = async () => {
    const { status, headers, body } = await get(service.address, '/jwks');
    const kids = status === 200 ? JSON.parse(body).keys.map(({ kid }: { kid: string }) => kid) : [];
    return { status, kids, etag: headers.get('etag') };
  };
  const check = async (route: string, token?: string) => {
    const { status, headers } = await get(service.edgeAddress, `/edge/${route}/api`, {
      'X-SSL-Client-Cert': encodeURIComponent(caller.pem),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    });
    const received = (headers.get('authorization') ?? '').replace('Bearer ', '');
    return { status, token: received, kid: received === '' ? undefined : decodeProtectedHeader(received).kid };
  };
  const introspect = async (token: string) => {
    const response = await fetch(`${describeListenAddress(service.address)}/introspect`, {
      method: 'POST',
      headers: { 'X-SSL-Client-Cert': encodeURIComponent(caller.pem) },
      body: new URLSearchParams({ client_id: 'a', token }),
    });
    return response.status;
  };
  const readiness = async () => (await get(service.operationsAddress, '/readyz')).status;
  const version = async () => {
    const { body } = await get(service.operationsAddress, '/metrics');
    return Number(/^countersign_keyring_version (\d+)$/m.exec(body)?.[1]);
  };

  test('publishes nothing before there is one, and then the keys as they are at the moment', async () => {
    expect([await readiness(), (await jwks()).status, await version()]).toEqual([503, 503, 0]);
    expect((await get(service.address, '/.well-known/openid-configuration')).status).toBe(503);
    // It may be a token of a key that is in Redis once that can be read.
    const unknown = signJws(
      { alg: 'ES256', typ: 'at+jwt', kid: 'a' },
      {},
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    );
    expect([(await check('verify', unknown)).status, await introspect(unknown)]).toEqual([503, 503]);
    await keys('create');
    await eventually(
      async () => (await jwks()).kids.length === 2,
      () => service.lines.slice(-5).join('\n'),
    );
    const before = await jwks();
    const [signing, next] = before.kids;
    expect([(await check('verify', unknown)).status, await introspect(unknown)]).toEqual([401, 200]);
    expect([await readiness(), (await version()) > 0]).toEqual([200, true]);
    const minted = await check('mint');
    expect([minted.kid, (await check('mint')).token, (await check('verify', minted.token)).status]).toEqual([
      signing,
      minted.token,
      200,
    ]);

    await keys('rotate', '--now');
    await eventually(
      async () => !(await jwks()).kids.includes(signing),
      () => JSON.stringify([before, service.lines.slice(-5)]),
    );
    const after = await jwks();
    expect(after.kids).toContain(next);
    expect(after.etag).not.toBe(before.etag);
    expect([(await check('verify', minted.token)).status, (await check('mint')).kid]).toEqual([401, next]);
  });
});
