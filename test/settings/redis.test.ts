import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readAdministrationConfig } from '../../src/commands/clients/administration-config.ts';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { openRedis } from '../../src/redis/connection.ts';
import { selfSigned } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { programPath } from '../support/program-path.ts';
import { startTlsRedis, type TlsRedis } from '../support/redis-tls.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const one = selfSigned().writeTo(folder, 'one');
const other = selfSigned().writeTo(folder, 'other');
const settings = (cert: string, key: string, url = 'rediss://127.0.0.1:1') => ({
  COUNTERSIGN_REDIS_URL: url,
  COUNTERSIGN_REDIS_CERTIFICATE_FILE: cert,
  COUNTERSIGN_REDIS_CERTIFICATE_KEY_FILE: key,
});
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
};

function problemsOf(cert: string, key: string, more: object = {}): readonly string[] {
  try {
    readAdministrationConfig({ ...settings(cert, key), ...more });
  } catch (error) {
    if (error instanceof OperatorError) return error.problems;
    throw error;
  }
  return [];
}

describe('the client certificate for Redis', () => {
  const none = file('none.pem', 'nothing');
  const open = file('open.pem', readFileSync(one.key, 'utf8'));
  chmodSync(open, 0o644);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const encrypted = file(
    'encrypted.pem',
    String(privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })),
  );

  test('is accepted with its key', () => {
    expect(problemsOf(one.cert, one.key)).toEqual([]);
  });

  test.each([
    [
      'the key of another certificate',
      one.cert,
      other.key,
      [/_KEY_FILE: .*other.* is not the key of CN=client, the first certificate in .*one.pem: /],
    ],
    [
      'an encrypted key',
      one.cert,
      encrypted,
      [/_KEY_FILE: .*encrypted.pem contains an encrypted private key: decrypt it/],
    ],
    ['a key file that every user can read', one.cert, open, [/_KEY_FILE: .*open.pem is readable by every user/]],
    [
      'neither',
      none,
      none,
      [/_CERTIFICATE_FILE: .*contains no certificate/, /_KEY_FILE: .*contains no private key in PEM/],
    ],
  ])('is rejected with %s', (_, cert, key, problems) => {
    expect(problemsOf(cert, key)).toEqual(problems.map((problem) => expect.stringMatching(problem)));
  });
});

describeWith(['redis-server'], 'a renewed client certificate for Redis', () => {
  let redis: TlsRedis;
  beforeAll(async () => {
    redis = await startTlsRedis({ program: programPath('redis-server'), directory: folder, clientCertificates: true });
  });
  afterAll(() => redis?.stop());

  test('is used once both files are renewed, and the previous one until then', async () => {
    const [cert, key] = [join(folder, 'client-now.pem'), join(folder, 'client-now-key.pem')];
    copyFileSync(redis.clientFiles.cert, cert);
    copyFileSync(redis.clientFiles.key, key);
    const env = { ...settings(cert, key, redis.url), COUNTERSIGN_REDIS_CA_FILE: redis.caFile };
    const { redis: access } = readAdministrationConfig(env);
    const connection = await openRedis({ ...access, commandTimeoutMilliseconds: 1_000, onStatusChange: () => {} });
    onTestFinished(() => connection.redis.disconnect());
    const reconnect = async () => {
      connection.redis.disconnect(true);
      await eventually(
        () => connection.problem !== undefined,
        () => 'the connection is not lost',
      );
      await eventually(
        () => connection.problem === undefined,
        () => String(connection.problem),
      );
    };
    expect(connection.problem).toBeUndefined();
    const renewed = redis.ca.issue({ subject: [['CN', 'renewed']] }).writeTo(folder, 'renewed');
    copyFileSync(renewed.cert, cert);
    await reconnect();
    expect([access.tls.cert, access.tls.key]).toEqual([redis.client.pem, redis.client.privateKeyPem.trim()]);
    copyFileSync(renewed.key, key);
    await reconnect();
    expect(access.tls.cert).toBe(readFileSync(renewed.cert, 'utf8'));
  });
});
