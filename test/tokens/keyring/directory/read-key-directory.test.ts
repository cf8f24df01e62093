import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OperatorError } from '../../../../src/errors/operator-error.ts';
import type { SigningAlgorithm } from '../../../../src/tokens/algorithms/signing-algorithm.ts';
import { generatePrivateKey } from '../../../../src/tokens/generate-key.ts';
import { privateJwkOf } from '../../../../src/tokens/key-jwk.ts';
import { readKeyDirectory } from '../../../../src/tokens/keyring/directory/read-key-directory.ts';
import { createTestCa } from '../../../support/certificates.ts';
import { type Files, folderWith, newPem, pemOf, writeFiles } from '../../../support/signing-key-files.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';

const [one, two] = [newPem(), newPem()];
const certificate = createTestCa({ subject: [['CN', 'CA']] }).pem;
const pemFor = async (algorithm: SigningAlgorithm) => pemOf(await generatePrivateKey(algorithm));
const read = async (files: Files) => readKeyDirectory(folderWith(files), undefined);
/** Without the path of the folder. */
const problemsIn = async (folder: string): Promise<readonly string[]> => {
  const error: unknown = await readKeyDirectory(folder, undefined).then(
    () => undefined,
    (thrown) => thrown,
  );
  if (!(error instanceof OperatorError)) throw new Error(`expected problems, not ${error}`);
  return error.problems.map((problem) => problem.replaceAll(`${folder}/`, '').replace(`${folder} `, 'it '));
};
const problemsOf = (files: Files) => problemsIn(folderWith(files));

describe('a directory of keys', () => {
  test('has the keys in the order in which they begin to sign', async () => {
    const { keys, warnings } = await read({
      '2026-12-01T0600Z.pem': two,
      'initial.pem': newPem(),
      '2026-11-01.pem': one,
    });
    expect(keys.map(({ file, signsFrom, algorithm }) => [file, signsFrom, algorithm])).toEqual([
      ['initial.pem', Number.NEGATIVE_INFINITY, 'ES256'],
      ['2026-11-01.pem', Date.UTC(2026, 10, 1), 'ES256'],
      ['2026-12-01T0600Z.pem', Date.UTC(2026, 11, 1, 6), 'ES256'],
    ]);
    expect(warnings).toEqual([]);
  });

  test('may be empty', async () => {
    expect(await read({})).toEqual({ keys: [], warnings: [] });
  });

  test('may have keys of several algorithms that begin at the same time', async () => {
    const { keys } = await read({
      '2026-11-01.pem': one,
      '2026-11-01-es384.pem': await pemFor('ES384'),
      '2026-11-01-ed.pem': await pemFor('Ed25519'),
    });
    expect(keys.map(({ algorithm }) => algorithm).sort()).toEqual(['ES256', 'ES384', 'EdDSA']);
  });

  test('uses the preferred algorithm for keys that suit it and do not state another', async () => {
    const [key, stated] = [await generatePrivateKey('Ed25519'), await generatePrivateKey('EdDSA')];
    const folder = folderWith({
      '2026-11-01.pem': one,
      '2026-11-02.pem': pemOf(key),
      '2026-11-03.jwk': JSON.stringify(await privateJwkOf(stated, 'EdDSA')),
    });
    const { keys } = await readKeyDirectory(folder, 'Ed25519');
    expect(keys.map(({ algorithm }) => algorithm)).toEqual(['ES256', 'Ed25519', 'EdDSA']);
  });

  test('ignores hidden files, such as those of Kubernetes and of editors', async () => {
    const folder = folderWith({ '2026-11-01.pem': one, '.README': 'notes', '.2026-12-01.pem.swp': 'x', '..data': 'y' });
    mkdirSync(join(folder, '..2026_11_01'));
    const { keys, warnings } = await readKeyDirectory(folder, undefined);
    expect([keys.length, warnings]).toEqual([1, []]);
  });

  test('warns about directories in it, which are not read', async () => {
    const folder = folderWith({ '2026-11-01.pem': one });
    mkdirSync(join(folder, 'lost+found'));
    mkdirSync(join(folder, 'old'));
    writeFiles(join(folder, 'old'), { '2026-10-01.pem': 'not read' });
    symlinkSync('old', join(folder, 'link'));
    const { keys, warnings } = await readKeyDirectory(folder, undefined);
    expect(keys.length).toBe(1);
    expect(warnings.map((warning) => warning.replace(`${folder}/`, ''))).toEqual(
      ['link', 'lost+found', 'old'].map((name) => `${name} is a directory, which is not read`),
    );
  });

  test('warns about parts of a file that are not read', async () => {
    const { warnings } = await read({ '2026-11-01.pem': one + certificate });
    expect(warnings).toEqual([expect.stringMatching(/\/2026-11-01\.pem: .*certificate/)]);
  });
});

describe('a directory of keys is rejected', () => {
  test('with every problem at once, each with the name of its file, and no private key', async () => {
    const folder = folderWith({
      '2026-11-01.pem': one,
      '2026-11-02.pem': two.slice(0, two.length / 2),
      '2026-11-03.pem': '',
      '2026-11-04.jwk': '{"kty":"EC",',
      '2026-11-05.pem': one,
      '2026-13-01.pem': newPem(),
      '2026-11-06.pem': newPem(),
      README: 'the keys of Countersign',
    });
    chmodSync(join(folder, '2026-11-06.pem'), 0o644);
    const problems = await problemsIn(folder);
    expect(problems).toEqual([
      expect.stringMatching(/^2026-11-02\.pem: /),
      expect.stringMatching(/^2026-11-03\.pem is empty/),
      expect.stringMatching(/^2026-11-04\.jwk: .*JSON/),
      expect.stringMatching(/^2026-11-06\.pem is readable by every user: run chmod 600/),
      expect.stringMatching(/^2026-13-01\.pem has a name that begins with a digit/),
      expect.stringMatching(/^README: contains no private key .*; if it is not a key, remove it/),
      '2026-11-05.pem contains the same key as 2026-11-01.pem: remove one of the two',
    ]);
    const secret = two.split('\n')[1] ?? '';
    expect(problems.join()).not.toContain(secret.slice(0, 20));
  });

  test.each<[string, Files, string]>([
    [
      'a large file',
      { '2026-11-01.pem': one, 'keys.tar': 'x'.repeat(1024 * 1024 + 1) },
      'keys.tar is larger than 1 MiB',
    ],
    ['a certificate', { '2026-11-01.pem': one, 'tls.crt': certificate }, 'tls.crt: contains no private key'],
    ['a file with two keys', { '2026-11-01.pem': one + two }, '2026-11-01.pem: contains more than one'],
    [
      'the same key in two files, in two forms',
      { '2026-11-01.pem': one, '2026-11-02.pem': `\n${one.replaceAll('\n', '\r\n')}` },
      '2026-11-02.pem contains the same key as 2026-11-01.pem: remove one of the two',
    ],
    [
      'two keys of one algorithm that begin at the same time',
      { '2026-11-01.pem': one, '2026-11-01T0000Z.pem': two },
      '2026-11-01T0000Z.pem and 2026-11-01.pem begin to sign ES256 at the same time: rename one of the two',
    ],
    [
      'two keys without a time',
      { 'a.pem': one, 'b.pem': two },
      'b.pem has no time in its name, and neither has a.pem: begin the name of the later one with the time',
    ],
    ['a name with a colon', { '2026-11-01T14:30Z.pem': one }, '2026-11-01T14:30Z.pem has a name with other characters'],
  ])('if it has %s', async (_, files, problem) => {
    const problems = await problemsOf(files);
    expect([problems.length, problems[0]?.slice(0, problem.length)]).toEqual([1, problem]);
  });

  test('if it has a file that every user can read and that may not be a key, with a hint', async () => {
    const folder = folderWith({ '2026-11-01.pem': one, '2026-12-01.pem': two, README: 'the keys of Countersign' });
    for (const file of ['2026-12-01.pem', 'README']) chmodSync(join(folder, file), 0o644);
    symlinkSync('nowhere', join(folder, 'old'));
    expect(await problemsIn(folder)).toEqual([
      expect.stringMatching(/^2026-12-01\.pem is readable by every user: .*0400\)$/),
      expect.stringMatching(
        /^README is readable by every user: .*; if it is not a key, remove it.*only keys belong here$/,
      ),
      expect.stringMatching(/^old cannot be read: it is a link to nowhere, which does not exist; if it is not a key/),
    ]);
  });

  test('if every user can replace its files, without that hint', async () => {
    const folder = folderWith({ 'first.pem': one });
    chmodSync(folder, 0o777);
    expect(await problemsIn(folder)).toEqual([
      expect.stringMatching(/^first\.pem can be replaced .*: run chmod o-w \S*$/),
    ]);
  });

  test('if one key has two algorithms', async () => {
    const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const jwk = async (algorithm: SigningAlgorithm) => JSON.stringify(await privateJwkOf(key, algorithm));
    const problems = await problemsOf({ '2026-11-01.jwk': await jwk('RS256'), '2026-11-02.jwk': await jwk('PS256') });
    expect(problems).toEqual(['2026-11-02.jwk contains the same key as 2026-11-01.jwk: remove one of the two']);
  });

  test('if a link leads nowhere', async () => {
    const folder = folderWith({ '2026-11-01.pem': one });
    symlinkSync('nowhere', join(folder, '2026-12-01.pem'));
    symlinkSync('2026-12-02.pem', join(folder, '2026-12-02.pem'));
    expect(await problemsIn(folder)).toEqual([
      '2026-12-01.pem cannot be read: it is a link to nowhere, which does not exist',
      expect.stringMatching(/^2026-12-02\.pem cannot be read: too many symbolic links/),
    ]);
  });

  test('if it does not exist, or is a file', async () => {
    const folder = folderWith({ '2026-11-01.pem': one });
    expect(await problemsIn(join(folder, 'nowhere'))).toEqual(['it cannot be read: no such file or directory']);
    expect(await problemsIn(join(folder, '2026-11-01.pem'))).toEqual(['it cannot be read: not a directory']);
  });

  test('if every user can replace its files', async () => {
    const folder = folderWith({ '2026-11-01.pem': one });
    chmodSync(folder, 0o777);
    expect(await problemsIn(folder)).toEqual([expect.stringMatching(/^2026-11-01\.pem can be replaced by every user/)]);
  });

  test.runIf(process.geteuid?.() === 0)('if every user can add files to it, and another one has', async () => {
    const folder = folderWith({ '2026-11-01.pem': one, '2026-12-01.pem': two });
    chmodSync(folder, 0o1777);
    expect((await readKeyDirectory(folder, undefined)).keys.length).toBe(2);
    chownSync(join(folder, '2026-12-01.pem'), 65_534, 65_534);
    const outside = folderWith({ key: newPem() });
    symlinkSync(join(outside, 'key'), join(folder, '2026-12-02.pem'));
    lchownSync(join(folder, '2026-12-02.pem'), 65_534, 65_534);
    expect(await problemsIn(folder)).toEqual([
      expect.stringMatching(/^2026-12-01\.pem belongs to another user/),
      expect.stringMatching(
        /^2026-12-02\.pem belongs to another user, and every user can add keys to .*: run chmod o-w/,
      ),
    ]);
  });
});

test('a directory of keys that is the volume of a Secret is read through its links', async () => {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, '..v1'));
  writeFiles(join(folder, '..v1'), { '2026-11-01.pem': one });
  symlinkSync('..v1', join(folder, '..data'));
  symlinkSync('..data/2026-11-01.pem', join(folder, '2026-11-01.pem'));
  chmodSync(folder, 0o1777);
  expect((await readKeyDirectory(folder, undefined)).keys.map(({ file }) => file)).toEqual(['2026-11-01.pem']);
});
