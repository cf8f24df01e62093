import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { readPassword } from '../../src/files/read-password.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const passwordFile = join(temporaryDirectory(), 'password');
const readFrom = (content: string | Buffer) => {
  writeFileSync(passwordFile, content);
  return readPassword({ passwordFile });
};

describe('the password of a file', () => {
  test.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    [' ä secret \n', ' ä secret '],
  ])('in %j is %j', (content, expected) => {
    expect(readFrom(content)).toBe(expected);
  });

  test.each<[string, string | Buffer, string]>([
    ['is empty', '', 'is empty: write the password into it, or leave out --password-file'],
    ['is an empty line', '\n', 'is empty: write the password into it, or leave out --password-file'],
    ['is an empty line of Windows', '\r\n', 'is empty: write the password into it, or leave out --password-file'],
    ['has two lines', 'one\ntwo\n', 'has more than one line, so it is not a password'],
    ['has an empty line before it', '\nsecret\n', 'has more than one line, so it is not a password'],
    ['is larger than 4 KiB', 'x'.repeat(4_097), 'is larger than 4 KiB'],
  ])('is rejected if that %s', (_, content, problem) => {
    expect(() => readFrom(content)).toThrow(new OperatorError([`${passwordFile}: ${problem}`]));
  });

  test('is rejected beside another one', () => {
    expect(() => readPassword({ password: 'x', passwordFile })).toThrow(/mutually exclusive/);
  });
});

test('the password of the command line may be empty', () => {
  expect([readPassword({}), readPassword({ password: '' }), readPassword({ password: 'x' })]).toEqual(['', '', 'x']);
});
