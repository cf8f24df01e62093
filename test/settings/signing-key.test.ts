import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { ConfigurationError } from '../../src/errors/operator-error.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
};
const bytes = (byte: number, count = 32) => Buffer.alloc(count, byte).toString('base64url');
const [keyA, keyB, keyC] = [bytes(0xfb), bytes(2), bytes(3)];

type Environment = Readonly<Record<string, string | undefined>>;
const common = {
  COUNTERSIGN_ISSUER: 'https://auth.example',
  COUNTERSIGN_TERMINATOR: 'nginx',
  COUNTERSIGN_REDIS_URL: 'redis://127.0.0.1',
};
const read = (env: Environment) => readConfig({ ...common, ...env });
const problemsOf = (env: Environment): readonly string[] => {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
};
const day = 86_400_000;
const [inFile, inDirectory, inRedis] = [
  { COUNTERSIGN_SIGNING_KEY: 'a key' },
  { COUNTERSIGN_SIGNING_KEYS_DIR: folder },
  { COUNTERSIGN_KEY_ENCRYPTION_KEY: keyA },
];

describe('the signing keys', () => {
  test('are read from one file', () => {
    expect(read(inFile).keyring).toEqual({
      source: 'file',
      text: 'a key',
      files: undefined,
      algorithm: undefined,
      policy: expect.objectContaining({ publishAhead: day, retention: day + 300_000 }),
      setting: 'SIGNING_KEY',
    });
  });

  test('are read from a directory', () => {
    expect(read({ ...inDirectory, COUNTERSIGN_SIGNING_ALG: 'PS256' }).keyring).toMatchObject({
      source: 'directory',
      path: folder,
      algorithm: 'PS256',
      policy: { publishAhead: day, retention: day + 300_000 },
    });
  });

  test('are read from Redis, and rotate every 30 days', () => {
    const { keyring } = read(inRedis);
    expect(keyring).toMatchObject({
      source: 'redis',
      setting: 'KEY_ENCRYPTION_KEY',
      algorithm: undefined,
      policy: { publishAhead: day, retention: day + 300_000, rotation: 30 * day },
      redis: { keyPrefix: 'countersign:' },
    });
    expect(keyring.source === 'redis' && keyring.keyEncryptionKeys).toEqual([Buffer.alloc(32, 0xfb)]);
  });

  test.each<[string, Environment, object]>([
    ['two key-encryption keys', { COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE: file('kek', `${keyA}\n${keyB}\n\n`) }, {}],
    ['no rotation', { ...inRedis, COUNTERSIGN_KEY_ROTATION: 'off' }, { policy: { rotation: undefined } }],
    [
      'the shortest rotation',
      { ...inRedis, COUNTERSIGN_KEY_PUBLISH_AHEAD: '10m', COUNTERSIGN_KEY_ROTATION: '1455m' },
      { policy: { publishAhead: 600_000, rotation: 1_455 * 60_000 } },
    ],
    [
      'a long time ahead',
      { ...inDirectory, COUNTERSIGN_KEY_PUBLISH_AHEAD: '60d' },
      { policy: { publishAhead: 60 * day } },
    ],
  ])('are accepted with %s', (_, env, keyring) => {
    expect(read(env).keyring).toMatchObject(keyring);
    expect(read(env).warnings).toEqual([]);
  });

  test.each<[string, Environment, readonly (string | RegExp)[]]>([
    [
      'nowhere',
      {},
      [
        /^COUNTERSIGN_SIGNING_KEY_FILE \(or COUNTERSIGN_SIGNING_KEY\): is missing: .* openssl genpkey .* COUNTERSIGN_SIGNING_KEYS_DIR .* COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE/,
      ],
    ],
    [
      'in a file and in a directory',
      { ...inDirectory, COUNTERSIGN_SIGNING_KEY_FILE: file('key.pem', 'x') },
      ['COUNTERSIGN_SIGNING_KEYS_DIR: is set together with COUNTERSIGN_SIGNING_KEY_FILE: remove one of the two'],
    ],
    [
      'in all three places',
      { ...inFile, ...inDirectory, ...inRedis },
      [
        'COUNTERSIGN_SIGNING_KEYS_DIR: is set together with COUNTERSIGN_SIGNING_KEY: remove one of the two',
        'COUNTERSIGN_KEY_ENCRYPTION_KEY: is set together with COUNTERSIGN_SIGNING_KEY: remove one of the two',
      ],
    ],
    [
      'in a directory that does not exist',
      { COUNTERSIGN_SIGNING_KEYS_DIR: '/nowhere' },
      ['COUNTERSIGN_SIGNING_KEYS_DIR: /nowhere cannot be read: no such file or directory'],
    ],
    [
      'in a directory that is a file',
      { COUNTERSIGN_SIGNING_KEYS_DIR: file('a.pem', 'x') },
      [/a\.pem is not a directory: for one key, set COUNTERSIGN_SIGNING_KEY_FILE instead$/],
    ],
    [
      'in a file that is a directory',
      { COUNTERSIGN_SIGNING_KEY_FILE: folder },
      [/^COUNTERSIGN_SIGNING_KEY_FILE: .* is not a file$/],
    ],
    [
      'in Redis, beside a file with the clients',
      { ...inRedis, COUNTERSIGN_REDIS_URL: undefined, COUNTERSIGN_CLIENTS_FILE: 'clients.yaml' },
      [/^COUNTERSIGN_KEY_ENCRYPTION_KEY: is for the keyring in Redis, .* set COUNTERSIGN_REDIS_URL in its place, or/],
    ],
    [
      'in Redis, without a URL of Redis',
      { ...inRedis, COUNTERSIGN_REDIS_URL: undefined },
      [/CLIENTS_FILE: is missing/],
    ],
  ])('are rejected if they are %s', (_, env, problems) => {
    expect(problemsOf(env)).toEqual(
      problems.map((problem) => (typeof problem === 'string' ? problem : expect.stringMatching(problem))),
    );
  });

  test.each<[string, string, RegExp]>([
    ['base64 with padding', Buffer.alloc(32, 0xfb).toString('base64'), /is base64, not base64url: convert it with tr/],
    ['31 bytes', bytes(1, 31), /is 31 bytes in base64url, and must be 32: generate one with: openssl rand/],
    ['64 hexadecimal digits', 'ab'.repeat(32), /is 48 bytes in base64url, and must be 32/],
    ['a passphrase', 'correct horse battery staple', /is not 32 bytes in base64url: generate one/],
    ['an invalid second line', `${keyA}\nhunter2`, /line 2 is /],
    ['three keys', [keyA, keyB, keyC].join('\n'), /contains more than two keys: expected the new one and, below it/],
    ['the same key twice', `${keyA}\n${keyA}`, /contains the same key twice: remove the second line/],
  ])('are rejected if the key-encryption key is %s, which is not printed', (_, text, problem) => {
    const problems = problemsOf({ COUNTERSIGN_KEY_ENCRYPTION_KEY: text });
    expect(problems).toEqual([expect.stringMatching(problem)]);
    for (const line of text.split('\n')) expect(problems.join()).not.toContain(line);
  });

  test.each([
    ['COUNTERSIGN_KEY_PUBLISH_AHEAD', '9m', '"9m" must be at least 10m and at most 365d'],
    ['COUNTERSIGN_KEY_PUBLISH_AHEAD', '0', '"0" must be at least 10m'],
    ['COUNTERSIGN_KEY_PUBLISH_AHEAD', '366d', '"366d" must be at least 10m and at most 365d'],
    ['COUNTERSIGN_KEY_PUBLISH_AHEAD', 'off', '"off" is not a duration'],
    ['COUNTERSIGN_KEY_ROTATION', 'never', '"never" is not a duration such as 80ms, 30s, 5m, 24h or 7d, or off'],
    [
      'COUNTERSIGN_KEY_ROTATION',
      '48h',
      'is shorter than COUNTERSIGN_KEY_PUBLISH_AHEAD and the 24 h 5 min for which a key stays published together: ' +
        'set it to 2885m or longer, or to off',
    ],
    ['COUNTERSIGN_SIGNING_ALG', 'HS256', '"HS256" is not one of: ES256'],
  ])('are rejected with %s=%s', (name, value, problem) => {
    expect(problemsOf({ ...inRedis, [name]: value })).toEqual([expect.stringContaining(`${name}: ${problem}`)]);
  });

  test('are rejected if the default rotation is too short for the time ahead', () => {
    expect(problemsOf({ ...inRedis, COUNTERSIGN_KEY_PUBLISH_AHEAD: '30d' })).toEqual([
      expect.stringMatching(/^COUNTERSIGN_KEY_ROTATION: is shorter than .* set it to 44645m or longer, or to off$/),
    ]);
  });

  test.each([
    ['COUNTERSIGN_KEY_PUBLISH_AHEAD', inFile],
    ['COUNTERSIGN_KEY_ROTATION', inDirectory],
  ])('cause a warning if %s has no effect', (name, env) => {
    expect(read({ ...env, [name]: '48h' }).warnings).toEqual([
      expect.stringContaining(`${name}: has no effect without`),
    ]);
  });
});
