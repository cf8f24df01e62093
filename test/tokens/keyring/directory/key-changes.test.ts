import { describe, expect, test } from 'vitest';
import { changeWarnings, startupWarnings } from '../../../../src/tokens/keyring/directory/key-changes.ts';
import { parseKeyFileName } from '../../../../src/tokens/keyring/directory/key-file-name.ts';
import type { DirectoryKey } from '../../../../src/tokens/keyring/directory/read-key-directory.ts';
import { readSigningKey } from '../../../../src/tokens/signing-key.ts';
import { newPem } from '../../../support/signing-key-files.ts';

const signer = await readSigningKey(newPem(), undefined);
const policy = { publishAhead: 86_400_000, retention: 86_400_000 + 300_000 };
/** The key identified by `keyId` in a file. */
const key = (file: string, keyId: string, changedAt = '2026-01-01'): DirectoryKey => {
  const signsFrom = parseKeyFileName(file);
  return { ...signer, file, keyId, signsFrom, changedAt: Date.parse(changedAt), signer };
};
const [first, november, december] = [key('first.pem', 'K1'), key('2026-11-01.pem', 'K2'), key('2026-12-01.pem', 'K3')];

describe('a change of the directory', () => {
  const warnings = (before: readonly DirectoryKey[], after: readonly DirectoryKey[], now: string) =>
    changeWarnings({ before, after, policy, now: Date.parse(now) });

  test.each<[string, DirectoryKey[], DirectoryKey[], string]>([
    ['a key that signs in a day', [november], [november, december], '2026-11-29T23:59:59Z'],
    ['a key from before those that sign', [november], [first, november], '2026-11-15T00:00Z'],
    ['no key', [november, december], [november, december], '2026-12-15T00:00Z'],
    ['the removal of a key whose tokens have expired', [november, december], [december], '2026-12-02T00:05:00Z'],
    ['the removal of a key that has not begun to sign', [november, december], [november], '2026-11-15T00:00Z'],
    ['another name of a key', [november], [key('2026-11-01-new.pem', 'K2')], '2026-11-15T00:00Z'],
    [
      'another key in the file of one that has not begun to sign, in time',
      [november, december],
      [november, key('2026-12-01.pem', 'K4')],
      '2026-11-15T00:00Z',
    ],
  ])('that breaks nothing causes no warning: %s', (_, before, after, now) => {
    expect(warnings(before, after, now)).toEqual([]);
  });

  test('causes a warning if a key appears sooner before it signs than it should be published', () => {
    expect(warnings([november], [november, december], '2026-11-30T00:00:01Z')).toEqual([
      '2026-12-01.pem appeared too late: its key (K3) signs from 2026-12-01T00:00:00Z, and verifiers that fetched the JWKS ' +
        'before reject its tokens until they fetch it again; name it by a time after 2026-12-01T00:00:01Z ' +
        '(COUNTERSIGN_KEY_PUBLISH_AHEAD)',
    ]);
  });

  test('causes a warning if a key appears that signs at once', () => {
    expect(warnings([november], [november, december], '2026-12-15T00:00Z')).toEqual([
      expect.stringMatching(/^2026-12-01\.pem appeared too late: its key \(K3\) signs at once, and verifiers/),
    ]);
  });

  test('causes one warning if a file is replaced by another key, as cert-manager does', () => {
    expect(warnings([november], [key('2026-11-01.pem', 'K9')], '2026-11-15T00:00Z')).toEqual([
      expect.stringMatching(
        /^2026-11-01\.pem was replaced in place by another key \(K9\): tokens that K2 signed are rejected from now on, the last of which expire by 2026-11-16T00:05:00Z, and verifiers reject new tokens until/,
      ),
    ]);
  });

  test.each([
    ['still signs', '2026-11-15T00:00Z', '2026-11-16T00:05:00Z'],
    ['signed until a moment ago', '2026-12-01T00:00Z', '2026-12-02T00:05:00Z'],
    ['signed a token that expires in a moment', '2026-12-02T00:04:59Z', '2026-12-02T00:05:00Z'],
  ])('causes a warning if a key is removed that %s', (_, now, expiry) => {
    expect(warnings([november, december], [december], now)[0]).toMatch(
      new RegExp(
        `^2026-11-01\\.pem was removed too soon: tokens that K2 signed .* expire by ${expiry}; restore the file`,
      ),
    );
  });

  test('causes a warning for each key that is removed and each that appears', () => {
    const after = [key('2026-12-02.pem', 'K4')];
    const files = warnings([november, december], after, '2026-12-01T12:00Z').map((warning) => warning.split(' ')[0]);
    expect(files).toEqual(['2026-11-01.pem', '2026-12-01.pem', '2026-12-02.pem']);
  });
});

describe('at startup', () => {
  const warnings = (keys: readonly DirectoryKey[], now: string) => startupWarnings(keys, policy, Date.parse(now));
  const late = key('2026-12-01.pem', 'K3', '2026-11-30T12:00Z');

  test.each([
    ['before it signs', '2026-11-30T13:00Z'],
    ['while verifiers may not have fetched it', '2026-12-01T23:59Z'],
  ])('a key whose file was changed too late causes a warning %s', (_, now) => {
    expect(warnings([november, late], now)).toEqual([
      expect.stringMatching(/^2026-12-01\.pem may have appeared too late: it was changed at 2026-11-30T12:00:00Z/),
    ]);
  });

  test.each<[string, DirectoryKey[], string]>([
    ['the first key', [late], '2026-11-30T13:00Z'],
    [
      'a file that was changed in time',
      [november, key('2026-12-01.pem', 'K3', '2026-11-29T23:00Z')],
      '2026-11-30T13:00Z',
    ],
    ['a key that has signed for a while', [november, late], '2026-12-02T00:00Z'],
  ])('%s causes no warning', (_, keys, now) => {
    expect(warnings(keys, now)).toEqual([]);
  });
});
