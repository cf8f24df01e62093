import { createPrivateKey } from 'node:crypto';
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { runCountersign } from '../support/countersign.ts';
import { folderWith, newKey, newPem, pemOf } from '../support/signing-key-files.ts';

const keys = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCountersign(['keys', ...args], { env });
const json = async (args: readonly string[], env = {}) => {
  const { code, stdout, stderr } = await keys([...args, '-o', 'json'], env);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
};
const started = Date.now();
/** A date this many days from today. */
const day = (days: number) => new Date(started + days * 86_400_000).toISOString().slice(0, 10);

describe('countersign keys create', () => {
  test('creates keys that the server accepts, readable by their owner only', async () => {
    const folder = folderWith({});
    const first = await json(['create', '--dir', folder, '--from', day(0)]);
    const next = await json(['create', '--dir', folder, '--from', day(30)]);
    expect(first).toMatchObject({ file: join(folder, `${day(0)}.pem`), alg: 'ES256', previous: null });
    expect(next).toMatchObject({
      file: join(folder, `${day(30)}.pem`),
      signs_from: `${day(30)}T00:00:00Z`,
      publish_before: `${day(29)}T00:00:00Z`,
      previous: { file: first.file, kid: first.kid, removable_from: `${day(31)}T00:05:00Z` },
    });
    expect(readdirSync(folder).sort()).toEqual([`${day(0)}.pem`, `${day(30)}.pem`]);
    expect([first, next].map(({ file }) => (statSync(file).mode & 0o777).toString(8))).toEqual(['600', '600']);
    const key = createPrivateKey(readFileSync(next.file, 'utf8'));
    expect(await calculateJwkThumbprint(await exportJWK(key))).toBe(next.kid);
    const { keys: listed } = await json(['list', '--dir', folder]);
    expect(listed.map(({ kid, state }: Record<string, string>) => [kid, state])).toEqual([
      [first.kid, 'signing'],
      [next.kid, 'next'],
    ]);
  });

  test('prints when a key is published, when it signs, and when the key before it can be removed', async () => {
    const folder = folderWith({ 'first.pem': newPem() });
    const { code, stdout, stderr } = await keys(['create', '--dir', folder, '--from', `${day(9)}T14:30Z`]);
    const time = `${day(9)}T1430Z`;
    expect([code, stderr, stdout.replaceAll(`${folder}/`, '').replace(/[\w-]{43}/, 'KID')]).toEqual([
      0,
      '',
      `created    ${time}.pem (ES256, kid KID)
published  once the servers have the file: distribute it before ${day(8)}T14:30:00Z
signs      from ${day(9)}T14:30:00Z
previous   first.pem: do not remove it before ${day(10)}T14:35:00Z
`,
    ]);
  });

  test('never overwrites a file, and leaves no other behind', async () => {
    const folder = folderWith({ 'first.pem': newPem(), [`${day(9)}.pem`]: newPem() });
    const before = readFileSync(join(folder, `${day(9)}.pem`), 'utf8');
    const { code, stderr } = await keys(['create', '--dir', folder, '--from', day(9)]);
    expect([code, stderr]).toEqual([
      1,
      `countersign: ${day(9)}.pem signs from ${day(9)}T00:00:00Z: choose another time\n`,
    ]);
    expect(readFileSync(join(folder, `${day(9)}.pem`), 'utf8')).toBe(before);
    expect(readdirSync(folder).length).toBe(2);
  });

  test('creates keys of several algorithms from the same time, which state their algorithm', async () => {
    const folder = folderWith({});
    for (const alg of ['ES256', 'ES384', 'Ed25519', 'PS256'])
      expect(await json(['create', '--dir', folder, '--from', day(0), '--alg', alg])).toMatchObject({ alg });
    expect(readdirSync(folder).sort()).toEqual(
      [`${day(0)}-ES384.pem`, `${day(0)}-PS256.jwk`, `${day(0)}.jwk`, `${day(0)}.pem`].sort(),
    );
    const { keys: listed } = await json(['list', '--dir', folder]);
    expect(listed.map(({ alg }: { alg: string }) => alg).sort()).toEqual(['ES256', 'ES384', 'Ed25519', 'PS256']);
  });

  test('continues with the algorithm of the key that signs', async () => {
    const folder = folderWith({ 'first.pem': pemOf(newKey('P-384')) });
    expect(await json(['create', '--dir', folder, '--from', day(9)])).toMatchObject({ alg: 'ES384' });
    expect(
      await json(['create', '--from', day(10)], {
        COUNTERSIGN_SIGNING_KEYS_DIR: folder,
        COUNTERSIGN_SIGNING_ALG: 'ES256',
      }),
    ).toMatchObject({ alg: 'ES256', previous: null });
  });

  test('warns about a key that verifiers cannot have fetched, and about a new algorithm', async () => {
    const folder = folderWith({ 'first.pem': newPem() });
    const soon = await keys(['create', '--dir', folder, '--from', day(1)]);
    expect([soon.code, soon.stderr]).toEqual([
      0,
      expect.stringMatching(/^countersign: warning: .* signs before .*COUNTERSIGN_KEY_PUBLISH_AHEAD from now/),
    ]);
    const quick = await keys(['create', '--dir', folder, '--from', day(2)], { COUNTERSIGN_KEY_PUBLISH_AHEAD: '10m' });
    expect(quick.stderr).toBe('');
    const other = await keys(['create', '--dir', folder, '--from', day(9), '--alg', 'EdDSA']);
    expect(other.stderr).toMatch(
      /makes EdDSA the algorithm of tokens, in place of ES256: to keep ES256, set COUNTERSIGN_SIGNING_ALG=ES256/,
    );
    const first = await keys(['create', '--dir', folderWith({}), '--from', day(9)]);
    expect(first.stderr).toMatch(/no key signs before .*, and the server does not start until one does/);
  });

  test.runIf(process.geteuid?.() === 0)('warns if the server may not be able to read the file', async () => {
    const folder = folderWith({});
    chownSync(folder, 65_534, 65_534);
    const { code, stderr } = await keys(['create', '--dir', folder, '--from', day(0)]);
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining(`does not belong to the owner of the directory, and only its owner can read it`),
    ]);
  });

  test.each<[string, (folder: string) => readonly string[], number, RegExp]>([
    [
      'without a time',
      (dir) => ['--dir', dir],
      2,
      /--from is missing: set it to the time from which the key signs, in UTC/,
    ],
    [
      'with a day that does not exist',
      (dir) => ['--dir', dir, '--from', '2026-11-31'],
      2,
      /--from "2026-11-31" is not a time/,
    ],
    [
      'with a local time',
      (dir) => ['--dir', dir, '--from', '2030-11-30T10:00'],
      2,
      /--from "2030-11-30T10:00" is not a time in UTC/,
    ],
    [
      'that would never sign',
      (dir) => ['--dir', dir, '--from', '2020-01-01'],
      1,
      /would never sign: 2024-01-01\.pem signs since/,
    ],
    [
      'with an unknown algorithm',
      (dir) => ['--dir', dir, '--from', '2030-01-01', '--alg', 'HS256'],
      2,
      /HS256.*Allowed choices are ES256/,
    ],
    [
      'in a directory that does not exist',
      (dir) => ['--dir', `${dir}/new`, '--from', '2030-01-01'],
      1,
      /does not exist: create it with mkdir -m 700/,
    ],
    ['from a time in Redis', () => ['--from', '2030-01-01'], 2, /COUNTERSIGN_REDIS_URL.* is missing: .*--dir/],
  ])('rejects a key %s', async (_, args, code, problem) => {
    const folder = folderWith({ '2024-01-01.pem': newPem() });
    const result = await keys(['create', ...args(folder)]);
    expect([result.code, result.stdout, result.stderr]).toEqual([code, '', expect.stringMatching(problem)]);
    expect(readdirSync(folder)).toEqual(['2024-01-01.pem']);
  });

  test('does not add a key to a directory that has problems, or is the one key of a server', async () => {
    const folder = folderWith({ '2024-01-01.pem': newPem(), 'README.md': 'notes', '2024-02-01.pem': '' });
    const result = await keys(['create', '--dir', folder, '--from', day(9)]);
    expect([result.code, result.stderr.split('\n').length]).toEqual([1, 3]);
    expect(existsSync(join(folder, `${day(9)}.pem`))).toBe(false);
    const one = await keys(['create', '--from', day(9)], { COUNTERSIGN_SIGNING_KEY: newPem() });
    expect([one.code, one.stderr]).toEqual([2, expect.stringContaining('COUNTERSIGN_SIGNING_KEY_FILE is one key')]);
  });
});

describe('countersign keys list', () => {
  const folder = folderWith({
    'first.pem': newPem(),
    '2024-01-01.pem': newPem(),
    [`${day(0)}.pem`]: newPem(),
    [`${day(9)}.pem`]: newPem(),
  });

  test('prints the state of each key, and when it ends', async () => {
    const { code, stdout } = await keys(['list', '--dir', folder, '-o', 'wide']);
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) =>
        line
          .trim()
          .replace(/ +/g, ' ')
          .replace(/[\w-]{43}/, 'KID'),
      );
    expect([code, rows]).toEqual([
      0,
      [
        'STATE UNTIL ALG SIGNS FROM KID FILE',
        'expired - ES256 - KID first.pem',
        `retired ${day(1)}T00:05:00Z ES256 2024-01-01T00:00:00Z KID 2024-01-01.pem`,
        `signing ${day(9)}T00:00:00Z ES256 ${day(0)}T00:00:00Z KID ${day(0)}.pem`,
        `next ${day(9)}T00:00:00Z ES256 ${day(9)}T00:00:00Z KID ${day(9)}.pem`,
      ],
    ]);
  });

  test('prints every problem of the directory, and no private key', async () => {
    const key = newPem();
    const broken = folderWith({ '2024-01-01.pem': key, '2024-01-02.pem': key, '2024-1-03.pem': newPem() });
    chmodSync(join(broken, '2024-01-02.pem'), 0o604);
    const { code, stdout, stderr } = await keys(['list', '--dir', broken]);
    expect([code, stdout, stderr.trim().split('\n')]).toEqual([
      1,
      '',
      [
        expect.stringMatching(/2024-01-02\.pem is readable by every user: run chmod 600/),
        expect.stringMatching(/2024-1-03\.pem has a name that begins with a digit/),
      ],
    ]);
  });

  test('lists the one key of a server', async () => {
    const { keys: listed } = await json(['list'], { COUNTERSIGN_SIGNING_KEY: newPem() });
    expect(listed).toEqual([
      { kid: expect.any(String), alg: 'ES256', state: 'signing', state_until: null, signs_from: null, file: null },
    ]);
  });
});

describe('countersign keys export', () => {
  test('prints every published key as a JWK Set, and no private key', async () => {
    const folder = folderWith({
      'first.pem': newPem(),
      '2024-01-01.pem': newPem(),
      [`${day(9)}.pem`]: newPem('P-384'),
    });
    const { code, stdout } = await keys(['export', '--public'], { COUNTERSIGN_SIGNING_KEYS_DIR: folder });
    const jwks = JSON.parse(stdout);
    expect([code, jwks.keys.map(({ alg }: { alg: string }) => alg)]).toEqual([0, ['ES256', 'ES256', 'ES384']]);
    for (const jwk of jwks.keys) expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  test('requires --public, so that no one expects private keys', async () => {
    const { code, stderr } = await keys(['export', '--dir', folderWith({ 'first.pem': newPem() })]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("required option '--public' not specified")]);
  });
});
