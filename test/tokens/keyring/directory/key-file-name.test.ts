import { describe, expect, test } from 'vitest';
import {
  keyFileTime,
  parseKeyFileName,
  parseKeyFileTime,
} from '../../../../src/tokens/keyring/directory/key-file-name.ts';

describe('the name of a key file', () => {
  test.each([
    ['2026-11-01.pem', '2026-11-01T00:00:00Z'],
    ['2026-11-01', '2026-11-01T00:00:00Z'],
    ['2026-11-01-es384.pem', '2026-11-01T00:00:00Z'],
    ['2026-11-01_billing.jwk', '2026-11-01T00:00:00Z'],
    ['2028-02-29.pem', '2028-02-29T00:00:00Z'],
    ['2026-11-01T1430Z.pem', '2026-11-01T14:30:00Z'],
    ['2026-11-01T143059Z.pem', '2026-11-01T14:30:59Z'],
    ['2026-11-01T0000Z', '2026-11-01T00:00:00Z'],
  ])('%s states that its key signs from %s', (name, time) => {
    expect(parseKeyFileName(name)).toBe(Date.parse(time));
  });

  test.each(['first.pem', 'key', '_2026-11-01.pem', '-2026-11-01', 'tls.key'])('%s has no time', (name) => {
    expect(parseKeyFileName(name)).toBe(Number.NEGATIVE_INFINITY);
  });

  test.each([
    ['a month that does not exist', '2026-13-01.pem'],
    ['a day that does not exist', '2026-11-31.pem'],
    ['a leap day of another year', '2026-02-29.pem'],
    ['a short month', '2026-1-01.pem'],
    ['no separators', '20261101.pem'],
    ['a year of two digits', '26-11-01.pem'],
    ['a time without a zone', '2026-11-01T1430.pem'],
    ['a time with an offset', '2026-11-01T1430-0100.pem'],
    ['a time in lower case', '2026-11-01t1430z.pem'],
    ['hours without minutes', '2026-11-01T14Z.pem'],
    ['hour 24', '2026-11-01T2400Z.pem'],
    ['minute 60', '2026-11-01T1460Z.pem'],
    ['second 60', '2026-11-01T143060Z.pem'],
    ['fractions of a second', '2026-11-01T143000123Z.pem'],
    ['text directly after the date', '2026-11-01a.pem'],
    ['text directly after the time', '2026-11-01T1430Zulu.pem'],
    ['another number', '1.pem'],
  ])('is rejected if it has %s', (_, name) => {
    expect(() => parseKeyFileName(name)).toThrow(
      /not with a time in UTC such as 2026-11-01 or 2026-11-01T1430Z: rename it/,
    );
  });

  test.each(['2026-11-01T14:30Z.pem', 'my key.pem', 'schlüssel.pem', '2026-11-01.pem~', 'a\u202eb', 'a\nb'])(
    'is rejected if a key of a Kubernetes Secret cannot have it: %j',
    (name) => {
      expect(() => parseKeyFileName(name)).toThrow('has a name with other characters');
    },
  );

  test.each(['2026-11-01', '2026-11-01T1430Z', '2026-11-01T143059Z'])('has the shortest form of a time: %s', (text) => {
    expect(keyFileTime(parseKeyFileTime(text) ?? 0)).toBe(text);
  });

  test.each(['2026-11-01.pem', '2026-11-01-', 'first', '', '2026-11-01T1430Z '])('is not a time alone: %j', (text) => {
    expect(parseKeyFileTime(text)).toBeUndefined();
  });
});
