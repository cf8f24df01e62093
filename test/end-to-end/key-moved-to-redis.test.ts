import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identitiesOfCertificate, identityKey } from '../../src/clients/identities.ts';
import { describeListenAddress } from '../../src/http/listen-address.ts';
import { parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { type ServiceInProcess, startServiceInProcess } from '../support/service.ts';
import { folderWith, newPem } from '../support/signing-key-files.ts';

const caller = selfSigned();
const client = {
  client_id: 'a',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ pem: caller.pem }],
  scope: 'read',
  audience: 'https://api.example',
};

describeWith(['redis-server'], 'a move from one key to a keyring in Redis, one replica after the other', () => {
  const prefix = keyPrefix();
  const file = join(folderWith({ 'signing-key.pem': newPem() }), 'signing-key.pem');
  const store = { COUNTERSIGN_REDIS_URL: redisUrl(), COUNTERSIGN_REDIS_KEY_PREFIX: prefix };
  const keyring = { ...store, COUNTERSIGN_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64url') };
  let redis: Redis;
  /** The replica that was not moved yet, and the one that was. */
  let previous: ServiceInProcess;
  let moved: ServiceInProcess;
  beforeAll(async () => {
    redis = new Redis(redisUrl());
    await redis.set(`${prefix}client:a`, JSON.stringify(client));
    const [identity] = identitiesOfCertificate(parseClientCertificate(caller.der));
    if (identity) await redis.sadd(`${prefix}identity:${identityKey(identity)}`, 'a');
    const start = (env: Readonly<Record<string, string>>) =>
      startServiceInProcess(createTestCa().pem, { COUNTERSIGN_SIGNING_KEY: '', ...env });
    previous = await start({ ...store, COUNTERSIGN_SIGNING_KEY_FILE: file });
    const created = await runCountersign(['keys', 'create', '--key', file], { env: keyring });
    expect([created.code, created.stderr]).toEqual([0, '']);
    moved = await start(keyring);
  });
  afterAll(async () => {
    redis?.disconnect();
    await previous?.close();
    await moved?.close();
  });

  const post = async ({ address }: ServiceInProcess, path: string, form: Readonly<Record<string, string>>) => {
    const response = await fetch(`${describeListenAddress(address)}${path}`, {
      method: 'POST',
      headers: {
        'X-SSL-Client-Cert': encodeURIComponent(caller.pem),
        'X-SSL-Client-Verify': 'FAILED:self-signed',
      },
      body: new URLSearchParams({ client_id: 'a', ...form }),
    });
    // Both endpoints respond with a JSON object.
    return (await response.json()) as Record<string, unknown>;
  };
  const newToken = async (service: ServiceInProcess) =>
    String((await post(service, '/token', { grant_type: 'client_credentials' })).access_token);
  const isActive = async (service: ServiceInProcess, token: string) =>
    (await post(service, '/introspect', { token })).active;
  const kidsOf = async ({ address }: ServiceInProcess) => {
    const response = await fetch(`${describeListenAddress(address)}/jwks`);
    const { keys } = (await response.json()) as { keys: { kid: string }[] };
    return keys.map(({ kid }) => kid);
  };

  test('keeps every token valid, at both replicas', async () => {
    const tokens = { previous: await newToken(previous), moved: await newToken(moved) };
    expect(decodeProtectedHeader(tokens.moved)).toEqual(decodeProtectedHeader(tokens.previous));
    for (const token of Object.values(tokens))
      expect([await isActive(previous, token), await isActive(moved, token)]).toEqual([true, true]);
  });

  test('publishes the same key at both replicas, and the next one beside it', async () => {
    const [signing] = await kidsOf(previous);
    expect(await kidsOf(moved)).toEqual([signing, expect.any(String)]);
  });
});
