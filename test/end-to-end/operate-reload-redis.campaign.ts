import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TokenRequester, tokenRequester } from '../faults/token-load.ts';
import { selfSigned } from '../support/certificates.ts';
import { type RunningCountersign, runCountersign, startCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { programPath } from '../support/program-path.ts';
import { startTlsRedis, type TlsRedis } from '../support/redis-tls.ts';
import { type Files, mountSecret, type SecretVolume } from '../support/signing-key-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The password, the certificates and the key-encryption key of a server with Redis, replaced under load. */
const [oldPassword, newPassword] = ['old-password', 'new-password'];
const [oldKey, newKey] = ['old', 'new'].map(() => randomBytes(32).toString('base64url'));
const identity = selfSigned();
const record = {
  client_id: 'client',
  token_endpoint_auth_method: 'self_signed_tls_client_auth',
  certificates: [{ thumbprint: identity.thumbprint }],
};
const names = ['redis_url', 'redis_ca', 'redis_certificate', 'key_encryption_key'] as const;

describeWith(['redis-server'], 'every watched file of a server with Redis', () => {
  const directory = temporaryDirectory();
  let redis: TlsRedis;
  let administrator: Redis;
  let volume: SecretVolume;
  let server: RunningCountersign;
  let requestToken: TokenRequester;

  const urlWith = (password: string, host = '127.0.0.1') => `rediss://server:${password}@${host}:${redis.port}`;
  const filesWith = (files: Files): Files => ({
    url: urlWith(oldPassword),
    'ca.crt': redis.ca.pem,
    'client.crt': redis.client.pem,
    'client.key': redis.client.privateKeyPem,
    'key-encryption-key': `${oldKey}\n`,
    ...files,
  });
  const environment = () => ({
    COUNTERSIGN_REDIS_URL_FILE: join(volume.folder, 'url'),
    COUNTERSIGN_REDIS_CA_FILE: join(volume.folder, 'ca.crt'),
    COUNTERSIGN_REDIS_CERTIFICATE_FILE: join(volume.folder, 'client.crt'),
    COUNTERSIGN_REDIS_CERTIFICATE_KEY_FILE: join(volume.folder, 'client.key'),
    COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: join(volume.folder, 'key-encryption-key'),
  });
  const run = async (...args: string[]) => {
    const { code, stderr } = await runCountersign(args, { env: environment() });
    expect([code, stderr]).toEqual([0, expect.anything()]);
  };
  const logged = (since = 0) => server.lines.slice(since).filter(({ event }) => event !== 'token_issued');
  const swap = async (files: Files, suffix: 'reloaded' | 'reload_failed') => {
    const since = server.lines.length;
    volume.swap(filesWith(files));
    const missing = () => names.filter((name) => !logged(since).some(({ event }) => event === `${name}_${suffix}`));
    await eventually(
      () => missing().length === 0,
      () => `not logged: ${missing()} among ${JSON.stringify(logged(since))}`,
    );
    return logged(since);
  };

  beforeAll(async () => {
    const program = programPath('redis-server');
    const aclRules = [`server on >${oldPassword} ~* &* +@all`];
    redis = await startTlsRedis({ program, directory, clientCertificates: true, aclRules });
    administrator = new Redis(redis.socket);
    volume = mountSecret(filesWith({}));
    const clients = join(directory, 'clients.json');
    writeFileSync(clients, JSON.stringify([record]));
    await run('keys', 'create');
    await run('clients', 'apply', '-f', clients);
    server = await startCountersign({
      env: {
        COUNTERSIGN_ISSUER: 'https://auth.example',
        COUNTERSIGN_TERMINATOR: 'nginx',
        COUNTERSIGN_LISTEN: `unix:${join(directory, 'server.sock')}`,
        ...environment(),
      },
    });
    requestToken = tokenRequester(server.url, identity);
  });
  afterAll(async () => {
    administrator?.disconnect();
    await server?.stop();
    await redis?.stop();
  });

  test('is replaced under load, with an invalid version in between, and no request fails', async () => {
    const statuses: number[] = [];
    let isLoading = true;
    const load = async () => {
      while (isLoading) statuses.push((await requestToken('client')).status);
    };
    const loads = [load(), load()];
    const other = redis.ca.issue({ subject: [['CN', 'renewed']] });
    const invalid = {
      url: urlWith(newPassword, 'localhost'),
      'ca.crt': 'nothing',
      'client.crt': other.pem,
      'key-encryption-key': `${newKey}\n`,
    };
    const failures = await swap(invalid, 'reload_failed');
    expect(failures.map(({ reason }) => reason)).toContainEqual(expect.stringMatching(/names another Redis than on s/));
    await administrator.call('ACL', 'SETUSER', 'server', `>${newPassword}`);
    const valid = {
      url: urlWith(newPassword),
      'client.crt': other.pem,
      'client.key': other.privateKeyPem,
      'key-encryption-key': `${newKey}\n${oldKey}\n`,
    };
    await swap(valid, 'reloaded');
    await run('keys', 'reseal');
    await administrator.call('ACL', 'SETUSER', 'server', `<${oldPassword}`);
    await administrator.call('CLIENT', 'KILL', 'USER', 'server');
    await eventually(
      async () => String(await administrator.call('CLIENT', 'LIST')).split('user=server').length > 2,
      () => JSON.stringify(logged()),
      10_000,
    );
    await eventually(
      async () => (await server.fetchOperations('/readyz')).status === 200,
      () => JSON.stringify(logged()),
      10_000,
    );
    await eventually(
      () => statuses.length > 50,
      () => `${statuses.length} responses`,
    );
    isLoading = false;
    await Promise.all(loads);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(server.lines.filter(({ event }) => event === 'keyring_rejected')).toEqual([]);
    expect(JSON.stringify(server.lines)).not.toMatch(/(?:old|new)-password/);
  });
});
