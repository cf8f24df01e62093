import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { decodeProtectedHeader } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { audienceKey } from '../../src/resources/resource.ts';
import { createTestCa } from '../support/certificates.ts';
import { commandsOf } from '../support/commands-of-redis.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { type KeyType, keyPair } from '../support/keys.ts';
import { programPath } from '../support/program-path.ts';
import { sendRequest } from '../support/raw-http.ts';
import { startRedis } from '../support/redis-server.ts';
import { type ServiceInProcess, startServiceInProcess } from '../support/service.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const ca = createTestCa();
const forwarded = [
  `X-SSL-Client-Cert: ${encodeURIComponent(ca.issue({ dns: ['a.example'] }).pem)}`,
  'X-SSL-Client-Verify: SUCCESS',
  'Connection: close',
];
const client = {
  client_id: 'a',
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'a.example',
  scope: 'read',
  audience: ['urn:plain', 'urn:es384', 'urn:eddsa', 'urn:rs256'],
};
const fields = { scope: 'read', binding: 'caller' };
const resources = [
  { name: 'plain', resource: 'urn:plain', ...fields },
  { name: 'es384', resource: 'urn:es384', ...fields, signing_alg: 'ES384' },
  { name: 'eddsa', resource: 'urn:eddsa', ...fields, signing_alg: 'EdDSA' },
  { name: 'rs256', resource: 'urn:rs256', ...fields, signing_alg: 'RS256' },
];

/** A directory of keys whose names begin with these dates. */
function keyDirectory(keys: Readonly<Record<string, KeyType>>): string {
  const directory = join(temporaryDirectory(), 'keys');
  mkdirSync(directory);
  for (const [date, type] of Object.entries(keys)) addKey(directory, date, type);
  return directory;
}
function addKey(directory: string, date: string, type: KeyType): void {
  const { privateKey } = keyPair(type, { reuse: false });
  writeFileSync(join(directory, `${date}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
}
const threeKeys = { '2025-01-03': 'ec-p256', '2025-01-01': 'ec-p384', '2025-01-02': 'ed25519' } as const;

async function startService(env: Readonly<Record<string, string>>) {
  const service = await startServiceInProcess(ca.pem, {
    COUNTERSIGN_SIGNING_KEY: '',
    COUNTERSIGN_EDGE_LISTEN: '127.0.0.1:0',
    ...env,
  });
  return Object.assign(service, { [Symbol.asyncDispose]: () => service.close() });
}

async function requestToken({ address, lines }: ServiceInProcess, ...audience: string[]) {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'a' });
  for (const each of audience) form.append('resource', each);
  const content = ['Content-Type: application/x-www-form-urlencoded', ...forwarded];
  const response = await sendRequest(describeListenAddress(address), { lines: content, body: String(form) });
  const { access_token: token, error } = JSON.parse(response.body);
  const event = lines.map((line) => JSON.parse(line)).findLast((line) => /^token_/.test(line.event));
  const { alg, kid } = token === undefined ? {} : decodeProtectedHeader(token);
  return { status: response.status, alg, kid, error, event };
}

async function mint({ edgeAddress }: ServiceInProcess, name: string) {
  if (!edgeAddress) throw new Error('there is no edge listener');
  const check = { method: 'GET', path: `/edge/mint/${name}`, lines: forwarded };
  const { headers } = await sendRequest(describeListenAddress(edgeAddress), check);
  return decodeProtectedHeader((headers.get('authorization') ?? '').replace('Bearer ', '')).alg;
}

describe('with keys of three algorithms', () => {
  const file = join(temporaryDirectory(), 'records.json');
  beforeAll(() => writeFileSync(file, JSON.stringify([client, ...resources])));

  test('a token is signed as its resources require, at the token endpoint and at the edge', async () => {
    const env = { COUNTERSIGN_CLIENTS_FILE: file, COUNTERSIGN_SIGNING_KEYS_DIR: keyDirectory(threeKeys) };
    await using service = await startService(env);
    for (const [name, alg] of [
      ['plain', 'ES256'],
      ['es384', 'ES384'],
      ['eddsa', 'EdDSA'],
    ] as const) {
      const token = await requestToken(service, `urn:${name}`);
      expect(token).toMatchObject({ status: 200, alg, event: { event: 'token_issued', kid: token.kid } });
      expect(await mint(service, name)).toBe(alg);
    }
    expect(await requestToken(service, 'urn:plain', 'urn:es384')).toMatchObject({ status: 200, alg: 'ES384' });
  });

  test('a token for resources that require different algorithms is rejected, and the event names them', async () => {
    const env = { COUNTERSIGN_CLIENTS_FILE: file, COUNTERSIGN_SIGNING_KEYS_DIR: keyDirectory(threeKeys) };
    await using service = await startService(env);
    expect(await requestToken(service, 'urn:es384', 'urn:eddsa')).toMatchObject({
      status: 400,
      error: 'invalid_target',
      event: {
        event: 'token_rejected',
        client_id: 'a',
        reason:
          'the resources of the token require different algorithms: "es384" (urn:es384) requires ES384, and ' +
          '"eddsa" (urn:eddsa) requires EdDSA',
      },
    });
    expect(await requestToken(service, 'urn:rs256')).toMatchObject({
      status: 503,
      error: 'temporarily_unavailable',
      event: { reason: 'no key of the keyring signs RS256' },
    });
  });

  test('tokens and documents follow the directory', async () => {
    const directory = keyDirectory(threeKeys);
    await using service = await startService({
      COUNTERSIGN_CLIENTS_FILE: file,
      COUNTERSIGN_SIGNING_KEYS_DIR: directory,
      COUNTERSIGN_OPERATIONS_LISTEN: '127.0.0.1:0',
    });
    const get = (path: string) =>
      sendRequest(describeListenAddress(service.address), { method: 'GET', path, lines: ['Connection: close'] });
    const before = await get('/jwks');
    rmSync(join(directory, '2025-01-01.pem'));
    addKey(directory, '2025-01-04', 'rsa-2048');
    await eventually(
      async () => (await requestToken(service, 'urn:rs256')).status === 200,
      () => service.lines.slice(-5).join('\n'),
    );
    expect(await requestToken(service, 'urn:es384')).toMatchObject({ status: 503 });
    // The algorithm of the key that began to sign last.
    expect(await requestToken(service, 'urn:plain')).toMatchObject({ status: 200, alg: 'RS256' });
    const after = await get('/jwks');
    expect(after.headers.get('etag')).not.toBe(before.headers.get('etag'));
    expect(
      JSON.parse(after.body)
        .keys.map(({ alg }: { alg: string }) => alg)
        .sort(),
    ).toEqual(['ES256', 'EdDSA', 'RS256']);
    const metadata = JSON.parse((await get('/.well-known/openid-configuration')).body);
    expect(metadata.id_token_signing_alg_values_supported[0]).toBe('RS256');
    const metrics = service.operationsAddress && describeListenAddress(service.operationsAddress);
    const { body } = await sendRequest(metrics ?? '', {
      method: 'GET',
      path: '/metrics',
      lines: ['Connection: close'],
    });
    expect(body).toContain('countersign_keys{alg="RS256",state="signing"} 1');
  });
});

test('with a single key, a token is signed with that, whatever its resource requires', async () => {
  const file = join(temporaryDirectory(), 'records.json');
  writeFileSync(file, JSON.stringify([client, ...resources]));
  const directory = keyDirectory({ '2025-01-01': 'ec-p256' });
  await using service = await startService({ COUNTERSIGN_CLIENTS_FILE: file, COUNTERSIGN_SIGNING_KEYS_DIR: directory });
  expect(await requestToken(service, 'urn:es384')).toMatchObject({ status: 200, alg: 'ES256' });
});

describeWith(['redis-server'], 'with resources in Redis', () => {
  test('tokens for known audiences send no command, with and without a resource', async () => {
    const server = await startRedis({ program: programPath('redis-server'), directory: temporaryDirectory() });
    const redis = new Redis(server.port);
    try {
      await redis.set('countersign:client:a', JSON.stringify(client));
      for (const resource of resources.slice(1)) {
        await redis.set(`countersign:resource:${resource.name}`, JSON.stringify(resource));
        await redis.sadd(`countersign:audience:${audienceKey(resource.resource)}`, resource.name);
      }
      const env = { COUNTERSIGN_REDIS_URL: server.url, COUNTERSIGN_SIGNING_KEYS_DIR: keyDirectory(threeKeys) };
      await using service = await startService(env);
      let sent = Number.NaN;
      const requestEach = async () => {
        expect(await requestToken(service, 'urn:es384')).toMatchObject({ status: 200, alg: 'ES384' });
        expect(await requestToken(service, 'urn:plain')).toMatchObject({ status: 200, alg: 'ES256' });
      };
      await eventually(
        async () => {
          const before = await commandsOf(redis);
          for (let times = 0; times < 50; times++) await requestEach();
          sent = (await commandsOf(redis)) - before;
          return sent === 0;
        },
        () => `${sent} commands for 100 tokens`,
      );
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });
});
