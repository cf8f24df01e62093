import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { verifierCaches } from '../../src/commands/keys/verifier-caches.ts';
import { administratorAclRule } from '../support/administrator-acl.ts';
import { type FinishedCommand, runCountersign, startCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { programPath } from '../support/program-path.ts';
import { connectRedis, keyPrefix, type RedisConnection, redisUrl } from '../support/redis.ts';
import { startRedis } from '../support/redis-server.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { folderWith, newKey, pemOf } from '../support/signing-key-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Of each key in the output of a command. */
type KeyState = 'next' | 'signing' | 'retired';

describeWith(['redis-server'], 'countersign keys in Redis', () => {
  const folder = temporaryDirectory();
  const keyFile = (name: string, ...keys: readonly Buffer[]) => {
    const lines = keys.map((key) => `${key.toString('base64url')}\n`);
    writeFileSync(join(folder, name), lines.join(''), { mode: 0o600 });
    return join(folder, name);
  };
  const [first, second] = [randomBytes(32), randomBytes(32)];
  const files = { old: keyFile('old', first), both: keyFile('both', second, first), fresh: keyFile('fresh', second) };
  let redis: RedisConnection;
  let env: Record<string, string>;
  beforeAll(() => {
    redis = connectRedis();
  });
  afterAll(() => redis?.close());
  beforeEach(() => {
    env = {
      COUNTERSIGN_REDIS_URL: redisUrl(),
      COUNTERSIGN_REDIS_KEY_PREFIX: keyPrefix(),
      COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: files.old,
    };
  });

  const run = (args: string, more: Readonly<Record<string, string>> = {}) =>
    runCountersign(['keys', ...args.split(' ')], { env: { ...env, ...more } });
  const succeed = async (args: string, more = {}): Promise<FinishedCommand> => {
    const finished = await run(args, more);
    expect(finished).toMatchObject({ code: 0 });
    return finished;
  };
  const keysOf = ({ stdout }: FinishedCommand): { kid: string; alg: string; state: KeyState }[] =>
    JSON.parse(stdout).keys;
  const kidsOf = (finished: FinishedCommand, state: KeyState) =>
    keysOf(finished)
      .filter((key) => key.state === state)
      .map(({ kid }) => kid);

  test('are created once, listed and exported', async () => {
    const missing = await run('list');
    // The key prefix may be a wrong one.
    const place = `${env.COUNTERSIGN_REDIS_KEY_PREFIX}keyring in Redis at ${redisUrl()}/0`;
    expect([missing.code, missing.stderr]).toEqual([
      1,
      `countersign: ${place}: there is no keyring: run \`countersign keys create\`\n`,
    ]);
    const created = await succeed('create');
    expect(created.stdout).toMatch(/^ES256 {2}\S{43} {2}signs until \S+, and is published until \S+$/m);
    expect(created.stdout).toMatch(/^ES256 {2}\S{43} {2}is published, and signs from \S+$/m);
    const again = await run('create');
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/there is a keyring: rotate its keys/)]);
    const listed = await succeed('list -o json');
    expect(keysOf(listed).map(({ state }) => state)).toEqual(['signing', 'next']);
    const { keys } = JSON.parse((await succeed('export --public')).stdout);
    expect(keys.map(({ kid }: { kid: string }) => kid)).toEqual(keysOf(listed).map(({ kid }) => kid));
    expect(JSON.stringify(keys)).not.toMatch(/"d"|sealed/);
  });

  test('are created for another algorithm, by option or by setting', async () => {
    expect(keysOf(await succeed('create -o json', { COUNTERSIGN_SIGNING_ALG: 'EdDSA' }))[0]?.alg).toBe('EdDSA');
    const added = await succeed('create --alg ES384');
    expect(added.stdout).toMatch(/^ES384 {2}\S{43} {2}is published, and signs from \S+$/m);
    expect(added.stdout).not.toContain('EdDSA');
    const again = await run('create --alg ES384');
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/the keyring has keys for ES384/)]);
  });

  /** The RFC 7638 thumbprint. */
  const kidOf = async (key: KeyObject) => calculateJwkThumbprint(await exportJWK(createPublicKey(key)));
  const pemFile = (key: KeyObject) => join(folderWith({ 'first.pem': pemOf(key) }), 'first.pem');
  const rsaKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const asJwk = (key: KeyObject, more: object) => JSON.stringify({ ...key.export({ format: 'jwk' }), ...more });

  test('begin with an existing key, for the algorithm of --alg', async () => {
    const key = rsaKey();
    const args = `create -o json --key ${pemFile(key)} --alg PS256`;
    const created = keysOf(await succeed(args, { COUNTERSIGN_SIGNING_ALG: 'RS512' }));
    expect(created).toEqual([
      expect.objectContaining({ kid: await kidOf(key), alg: 'PS256', state: 'signing' }),
      expect.objectContaining({ alg: 'PS256', state: 'next' }),
    ]);
  });

  test('begin with an existing key in a JWK, which is not stored in clear', async () => {
    const key = newKey();
    const file = join(folderWith({ 'key.jwk': asJwk(key, { alg: 'ES256', kid: 'mine' }) }), 'key.jwk');
    const { stdout, stderr } = await succeed(`create -o json --key ${file}`);
    expect(JSON.parse(stdout).keys[0].kid).toBe(await kidOf(key));
    expect(stderr).toContain(`${file}: its "kid" is not used`);
    const stored = await redis.client.get(`${env.COUNTERSIGN_REDIS_KEY_PREFIX}keyring`);
    expect(stored).not.toContain(String(key.export({ format: 'jwk' }).d));
  });

  test('are created for another algorithm from an existing key, which signs once it has been published', async () => {
    await succeed('create');
    const key = rsaKey();
    const again = await run(`create --key ${pemFile(key)}`);
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/there is a keyring: .*--alg/)]);
    const added = keysOf(await succeed(`create --key ${pemFile(key)} --alg PS256 -o json`));
    expect(added).toContainEqual(expect.objectContaining({ kid: await kidOf(key), alg: 'PS256', state: 'next' }));
    const same = await run(`create --key ${pemFile(key)} --alg RS256`);
    expect([same.code, same.stderr]).toEqual([1, expect.stringMatching(/has this key, \S+, for PS256/)]);
  });

  test('do not begin with an existing key while COUNTERSIGN_SIGNING_KEY_FILE is set', async () => {
    const file = pemFile(newKey());
    const { code, stderr } = await run(`create --key ${file}`, { COUNTERSIGN_SIGNING_KEY_FILE: file });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/SIGNING_KEY_FILE is set: unset it for this command/)]);
  });

  test('in a directory are not created from an existing key', async () => {
    const { code, stderr } = await run(`create --dir ${folder} --key ${pemFile(newKey())}`);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--key is for the keyring in Redis.*first\.pem/)]);
  });

  test('are changed by the documented administrator, and only listed by the auditor', async () => {
    const users = (['administrator', 'auditor'] as const).map((name) =>
      administratorAclRule(name, env.COUNTERSIGN_REDIS_KEY_PREFIX ?? '', { password: 'secret' }),
    );
    const program = programPath('redis-server');
    const server = await startRedis({ program, directory: temporaryDirectory(), aclRules: users });
    const as = (user: string) => ({ COUNTERSIGN_REDIS_URL: `redis://${user}:secret@127.0.0.1:${server.port}` });
    await succeed('create', as('administrator'));
    await succeed('rotate --now', as('administrator'));
    await succeed('reseal', as('administrator'));
    for (const user of ['administrator', 'auditor']) {
      expect(kidsOf(await succeed('list -o json', as(user)), 'signing')).toHaveLength(1);
      await succeed('export --public', as(user));
    }
    const denied = await run('rotate --now', as('auditor'));
    expect([denied.code, denied.stderr]).toEqual([1, expect.stringContaining('NOPERM')]);
    await server.stop();
  });

  test('are not rotated before verifiers have the next one', async () => {
    await succeed('create');
    const early = await run('rotate');
    expect([early.code, early.stderr]).toEqual([
      1,
      expect.stringMatching(/it can sign from \S+, when verifiers have it/),
    ]);
  });

  test('are replaced at once after a compromise, with what that does not fix', async () => {
    const created = await succeed('create -o json');
    const rotated = await succeed('rotate --now -o json');
    expect(JSON.parse(rotated.stdout).removed).toEqual(kidsOf(created, 'signing'));
    expect(kidsOf(rotated, 'signing')).toEqual(kidsOf(created, 'next'));
    for (const [verifier, time] of verifierCaches) expect(rotated.stderr).toMatch(new RegExp(`${verifier} +${time}`));
    expect(rotated.stderr).toContain('has been published since');
  });

  test('are retired or removed by their kid', async () => {
    const created = await succeed('create -o json');
    const [next = ''] = kidsOf(created, 'next');
    const removed = await succeed(`retire ${next}`);
    expect(removed.stdout).toContain(`${next}  was removed`);
    expect(removed.stdout).toMatch(
      /^ES256 {2}\S{43} {2}is published, and signs after the key before it: the servers schedule/m,
    );
    const [signing = ''] = kidsOf(created, 'signing');
    expect((await run(`retire ${signing}`)).stderr).toMatch(/when verifiers have it/);
    expect(JSON.parse((await succeed(`retire ${signing} --now -o json`)).stdout).removed).toEqual([signing]);
  });

  test.each([
    'unknown',
    // One of 64 begins with a hyphen, and could be taken for options.
    '-ow5SSp2Iho8u2GCbvuDKdGHX3YBjFg0LmZjA3TrU5k',
    '--now5SSp2Iho8u2GCbvuDKdGHX3YBjFg0LmZjA3TrU',
    '-- -ow5SSp2Iho8u2GCbvuDKdGHX3YBjFg0LmZjA3TrU5k',
  ])('are not retired by the kid %s, which none has', async (kid) => {
    await succeed('create');
    for (const args of [`retire ${kid}`, ...(kid.startsWith('-- ') ? [] : [`retire --now ${kid} -o json`])]) {
      const { code, stderr } = await run(args);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/no key with this kid: run `countersign keys list`/)]);
    }
  });

  test('are sealed anew with the first key-encryption key', async () => {
    await succeed('create');
    expect((await run('rotate --now', { COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: files.fresh })).stderr).toMatch(
      /the private keys are sealed with the key-encryption key \S+, and COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE has \S+/,
    );
    expect((await succeed('reseal', { COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: files.both })).stdout).toMatch(
      /^2 private keys/,
    );
    expect((await succeed('reseal', { COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: files.both })).stdout).toMatch(
      /^0 private keys/,
    );
    await succeed('rotate --now', { COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: files.fresh });
    expect((await run('rotate --now')).code).toBe(1);
    // Without the key-encryption key, they can be listed.
    await succeed('list', { COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: '' });
  });

  test.each([
    [
      'Redis is unreachable',
      1,
      { COUNTERSIGN_REDIS_URL: 'redis://127.0.0.1:1' },
      /cannot reach Redis at .*ECONNREFUSED/,
    ],
    [
      'there is no key-encryption key',
      2,
      { COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: '' },
      /KEY_ENCRYPTION_KEY_FILE: is missing/,
    ],
    ['there is no Redis', 2, { COUNTERSIGN_REDIS_URL: '' }, /COUNTERSIGN_REDIS_URL/],
    ['the keys are in a directory', 2, { COUNTERSIGN_SIGNING_KEYS_DIR: folder }, /the keys are in a directory/],
  ])('are not rotated if %s', async (_, code, more, message) => {
    const failed = await run('rotate --now', more);
    expect([failed.code, failed.stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  test('are not overwritten if Redis holds something else', async () => {
    const [value, message] = [
      '{"format":2}',
      /keyring in Redis at .*: its "format" is 2.*a newer version of Countersign/,
    ];
    const key = `${env.COUNTERSIGN_REDIS_KEY_PREFIX}keyring`;
    await redis.client.set(key, value);
    for (const args of ['list', 'create', 'rotate --now']) {
      const failed = await run(args);
      expect([args, failed.code]).toEqual([args, 1]);
      if (args !== 'create') expect(failed.stderr).toMatch(message);
    }
    expect(await redis.client.get(key)).toBe(value);
  });

  test('are followed by a server, which is not ready before they are created', async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const server = await startCountersign({
      env: {
        ...env,
        COUNTERSIGN_ISSUER: 'https://auth.example',
        COUNTERSIGN_TERMINATOR: 'nginx',
        COUNTERSIGN_LISTEN: listen,
      },
    });
    try {
      expect((await server.fetchOperations('/livez')).status).toBe(200);
      expect(await server.fetchOperations('/readyz')).toMatchObject({
        status: 503,
        body: expect.stringMatching(/no keyring in Redis: run `countersign keys create`/),
      });
      const created = await succeed('create -o json');
      const isReady = async () => (await server.fetchOperations('/readyz')).status === 200;
      await eventually(isReady, () => JSON.stringify(server.lines));
      const published = async () => {
        // A JWK Set.
        const { keys } = (await (await fetch(`http://${listen}/jwks`)).json()) as { keys: { kid: string }[] };
        return keys.map(({ kid }) => kid);
      };
      expect(await published()).toEqual(keysOf(created).map(({ kid }) => kid));
      const rotated = await succeed('rotate --now -o json');
      const [removed] = JSON.parse(rotated.stdout).removed;
      await eventually(
        async () => !(await published()).includes(removed),
        () => JSON.stringify(server.lines),
      );
      expect(await published()).toEqual(keysOf(rotated).map(({ kid }) => kid));
      const output = `${JSON.stringify(server.lines)}${server.stderr()}${(await server.fetchOperations('/metrics')).body}`;
      expect(output).not.toContain(first.toString('base64url'));
      expect(output).not.toContain('"d":');
    } finally {
      await server.stop();
    }
  });
});

test('the times that `keys rotate --now` prints are those of docs/keys.md', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/keys.md'), 'utf8');
  const rows = page
    .replaceAll(/[`*]/g, '')
    .split('\n')
    .filter((line) => line.startsWith('| ') && line.split(' | ').length === 4);
  for (const [verifier, time] of verifierCaches) {
    const names = verifier.split(', ');
    const row = rows.find((line) => names.every((name) => line.split(' | ')[0]?.includes(name)));
    expect([verifier, row]).toEqual([verifier, expect.stringContaining(time.split(',')[0] ?? time)]);
  }
});
