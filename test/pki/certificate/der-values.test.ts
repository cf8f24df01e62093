import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseDer } from '../../../src/pki/certificate/der.ts';
import type { DerElement } from '../../../src/pki/certificate/der-element.ts';
import { parseBitString, parseBoolean, parseInteger, parseTime } from '../../../src/pki/certificate/der-values.ts';
import { parseObjectIdentifier } from '../../../src/pki/certificate/object-identifier.ts';
import { der } from '../../support/der.ts';

const element = (hex: string) => parseDer(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const integer = (each: DerElement) => hexOf(parseInteger(each));
const bitString = (each: DerElement) => {
  const { bytes, unusedBits } = parseBitString(each);
  return `${hexOf(bytes)}/${unusedBits}`;
};
const instant = (each: DerElement) => new Date(parseTime(each)).toISOString();
const time = (text: string, tag = text.length > 13 ? '18' : '17') =>
  `${tag} ${text.length.toString(16).padStart(2, '0')} ${Buffer.from(text).toString('hex')}`;

describe('a value is read:', () => {
  test.each<[string, (each: DerElement) => unknown, string, unknown]>([
    ['BOOLEAN FALSE', parseBoolean, '01 01 00', false],
    ['BOOLEAN TRUE', parseBoolean, '01 01 ff', true],
    ['INTEGER 0', integer, '02 01 00', '00'],
    ['INTEGER 128', integer, '02 02 00 80', '0080'],
    ['INTEGER -128', integer, '02 01 80', '80'],
    ['an empty BIT STRING', bitString, '03 01 00', '/0'],
    ['a BIT STRING with unused bits', bitString, '03 02 07 80', '80/7'],
    ['a named BIT STRING with trailing zeros', bitString, '03 03 00 80 00', '8000/0'],
    ['an object identifier of the arc 2.5', parseObjectIdentifier, '06 03 55 04 03', '2.5.4.3'],
    ['a long object identifier', parseObjectIdentifier, '06 09 2a 86 48 86 f7 0d 01 01 0b', '1.2.840.113549.1.1.11'],
    ['an arc above 39 below 2', parseObjectIdentifier, '06 03 88 37 03', '2.999.3'],
    ['0.0', parseObjectIdentifier, '06 01 00', '0.0'],
    ['1.39, the last of its root', parseObjectIdentifier, '06 01 4f', '1.39'],
    ['2.0, the first of its root', parseObjectIdentifier, '06 01 50', '2.0'],
    ['a second arc of 64 bits', parseObjectIdentifier, '06 0a 81 ff ff ff ff ff ff ff ff 7f', '2.18446744073709551535'],
    [
      'a UUID as an arc',
      parseObjectIdentifier,
      '06 14 69 83 f8 8d 9f f7 d6 f6 be 9c 99 a9 9d be 85 d6 cd ec e3 01',
      `2.25.${BigInt(
        `0b${'83f88d9ff7d6f6be9c99a99dbe85d6cdece301'
          .match(/../g)
          ?.map((byte) => (Number.parseInt(byte, 16) & 0x7f).toString(2).padStart(7, '0'))
          .join('')}`,
      )}`,
    ],
    [
      'an object identifier of 129 bytes',
      parseObjectIdentifier,
      `06 81 81 ${'01'.repeat(129)}`,
      `0.1${'.1'.repeat(128)}`,
    ],
    ['UTCTime of this century', instant, time('261122000000Z'), '2026-11-22T00:00:00.000Z'],
    ['UTCTime of the last century', instant, time('500101000000Z'), '1950-01-01T00:00:00.000Z'],
    ['GeneralizedTime', instant, time('20501231235959Z'), '2050-12-31T23:59:59.000Z'],
    ['GeneralizedTime before 2050', instant, time('20260101000000Z'), '2026-01-01T00:00:00.000Z'],
    ['29 February of a leap year', instant, time('200229235959Z'), '2020-02-29T23:59:59.000Z'],
    ['29 February of a year that 400 divides', instant, time('000229000000Z'), '2000-02-29T00:00:00.000Z'],
    ['GeneralizedTime of the year 99', instant, time('00991231235959Z'), '0099-12-31T23:59:59.000Z'],
    ['the end of all time', instant, time('99991231235959Z'), '9999-12-31T23:59:59.000Z'],
  ])('%s', (_, read, hex, value) => {
    expect(read(element(hex))).toEqual(value);
  });
});

describe('a value in another encoding than that of DER is rejected:', () => {
  test.each<[string, (each: DerElement) => unknown, string, string]>([
    ['BOOLEAN 01', parseBoolean, '01 01 01', 'a BOOLEAN of 01; FALSE is 00 and TRUE is FF'],
    ['a BOOLEAN of two bytes', parseBoolean, '01 02 ff ff', 'a BOOLEAN of ffff'],
    ['an empty BOOLEAN', parseBoolean, '01 00', 'a BOOLEAN of no content'],
    ['an INTEGER without content', parseInteger, '02 00', 'an INTEGER without content'],
    ['a padded positive INTEGER', parseInteger, '02 02 00 7f', 'an INTEGER that is not minimally encoded'],
    ['a padded negative INTEGER', parseInteger, '02 02 ff 80', 'an INTEGER that is not minimally encoded'],
    ['a BIT STRING without content', parseBitString, '03 00', 'without a count of unused bits'],
    ['8 unused bits', parseBitString, '03 02 08 00', 'without a count of unused bits'],
    ['unused bits that are set', parseBitString, '03 02 07 81', 'unused bits that are not 0'],
    ['unused bits without any byte', parseBitString, '03 01 01', 'unused bits that are not 0'],
    ['an empty OBJECT IDENTIFIER', parseObjectIdentifier, '06 00', 'without content'],
    ['a padded first arc', parseObjectIdentifier, '06 02 80 01', 'an arc that is not minimally encoded'],
    ['a padded arc', parseObjectIdentifier, '06 03 55 80 03', 'an arc that is not minimally encoded'],
    ['a truncated OBJECT IDENTIFIER', parseObjectIdentifier, '06 02 55 84', 'truncated'],
  ])('%s', (_, read, hex, reason) => {
    expect(() => read(element(hex))).toThrow(CertificateError);
    expect(() => read(element(hex))).toThrow(/^not DER: /);
    expect(() => read(element(hex))).toThrow(reason);
  });
});

describe('a time is rejected, and not called an encoding error:', () => {
  test.each([
    ['UTCTime without seconds', time('2611220000Z'), 'a UTCTime that is not YYMMDDHHMMSSZ: "2611220000Z"'],
    ['UTCTime with an offset', time('261122000000+0100', '17'), 'a UTCTime that is not YYMMDDHHMMSSZ'],
    ['GeneralizedTime with a fraction', time('20261122000000.5Z'), 'a GeneralizedTime that is not YYYYMMDDHHMMSSZ'],
    ['GeneralizedTime of the local zone', time('20261122000000'), 'a GeneralizedTime that is not YYYYMMDDHHMMSSZ'],
    ['a time with a letter', time('26112200000xZ'), 'a UTCTime that is not YYMMDDHHMMSSZ: "26112200000xZ"'],
    ['a DATE', '1f 1f 00', 'neither UTCTime nor GeneralizedTime'],
    ['month 13', time('201301000000Z'), 'calendar: 2020-13-01'],
    ['month 0', time('200001000000Z'), 'calendar'],
    ['30 February', time('200230000000Z'), 'calendar'],
    ['29 February of a common year', time('210229000000Z'), 'calendar'],
    ['29 February of a century', time('22000229000000Z'), 'calendar'],
    ['day 0', time('200100000000Z'), 'calendar'],
    ['31 April', time('200431000000Z'), 'calendar'],
    ['hour 24', time('200101240000Z'), 'calendar'],
    ['second 60', time('200101000060Z'), 'calendar'],
    ['day 32 of a GeneralizedTime', time('20200132000000Z'), 'calendar'],
  ])('%s', (_, hex, reason) => {
    expect(() => parseTime(element(hex))).toThrow(CertificateError);
    expect(() => parseTime(element(hex))).toThrow(reason);
    expect(() => parseTime(element(hex))).not.toThrow('not DER');
  });
});

test('an object identifier of 16 KiB is read in linear time', () => {
  const cpuTimeOf = (identifier: DerElement) => {
    const start = process.threadCpuUsage().user;
    parseObjectIdentifier(identifier);
    return process.threadCpuUsage().user - start;
  };
  const fastest = (content: Uint8Array) => {
    const identifier = parseDer(der(0x06, content));
    return Math.min(...Array.from({ length: 5 }, () => cpuTimeOf(identifier)));
  };
  expect(fastest(Buffer.alloc(16_000, 0x01))).toBeLessThan(50_000);
  expect(fastest(Buffer.concat([Buffer.alloc(16_000, 0xff), Buffer.of(1)]))).toBeLessThan(50_000);
});
