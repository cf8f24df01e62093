import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { decodeByteSequenceList } from '../../../src/terminator/encodings/byte-sequence.ts';
import { sequence } from '../../support/der.ts';

const item = (der: Uint8Array) => `:${Buffer.from(der).toString('base64')}:`;
const first = sequence(Buffer.alloc(20, 1));
const second = sequence(Buffer.alloc(21, 2));
const [a, b] = [item(first), item(second)];

describe('a List of Byte Sequences', () => {
  test.each([
    ['empty', '', []],
    ['one member', a, [first]],
    ['two members', `${a}, ${b}`, [first, second]],
    ['no space after the comma', `${a},${b}`, [first, second]],
    ['whitespace around the comma', `${a} \t,\t  ${b}`, [first, second]],
    ['whitespace at the end', `${a}, ${b} `, [first, second]],
    ['the same member twice', `${a}, ${a}`, [first, first]],
    ['ten members', Array(10).fill(a).join(', '), Array(10).fill(first)],
  ])('is decoded: %s', (_, value, expected) => {
    expect(decodeByteSequenceList(value).map((der) => Buffer.from(der))).toEqual(expected);
  });

  test.each([
    ['a comma at the end', `${a},`, 'a comma at the end'],
    ['a comma and whitespace at the end', `${a}, `, 'a comma at the end'],
    ['a comma at the start', `,${a}`, 'not a Byte Sequence'],
    ['two commas', `${a},,${b}`, 'not a Byte Sequence'],
    ['a comma alone', ',', 'not a Byte Sequence'],
    ['an empty member', `${a}, ::`, 'not a Byte Sequence'],
    ['a member without its last colon', `${a}, ${b.slice(0, -1)}`, 'not a Byte Sequence'],
    ['a member without its first colon', `${a}, ${b.slice(1)}`, 'not a Byte Sequence'],
    ['no comma', `${a} ${b}`, 'no comma'],
    ['a semicolon for the comma', `${a}; ${b}`, 'no comma'],
    ['a parameter', `${a};a=1, ${b}`, 'no comma'],
    ['an inner list', `(${a} ${b})`, 'not a Byte Sequence'],
    ['a string', `"${a}"`, 'not a Byte Sequence'],
    ['a line feed', `${a},\n${b}`, 'not a Byte Sequence'],
    ['no-break space', `${a},\u00a0${b}`, 'not a Byte Sequence'],
    ['no padding', ':MAA:', 'not canonical base64'],
    ['bits in the padding', ':MAB=:', 'not canonical base64'],
    ['base64url', ':MAP_AAA:', 'not canonical base64'],
    ['eleven members', Array(11).fill(a).join(','), 'more than 10'],
    ['thousands of members', Array(10_000).fill(':MAA=:').join(','), 'more than 10'],
    ['bytes after a DER', item(Buffer.concat([first, Buffer.of(0)])), '1 trailing bytes'],
    ['two DERs in one', item(Buffer.concat([first, second])), 'trailing bytes'],
    ['half of a DER', item(first.subarray(0, 9)), 'truncated'],
    ['a DER that is not a SEQUENCE', item(Buffer.of(4, 1, 0)), 'not a DER SEQUENCE'],
  ])('is rejected: %s', (_, value, reason) => {
    const decode = () => decodeByteSequenceList(value);
    expect(decode).toThrow(CertificateError);
    expect(decode).toThrow(reason);
  });

  test('decodes to exactly its members, or throws a CertificateError', () => {
    const value = fc.array(fc.constantFrom(a, b, ':', ',', ' ', '\t', ';', '(', 'AA==')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(value, fc.string()), (text) => {
        try {
          const members = decodeByteSequenceList(text);
          expect(members.map(item).join(',')).toBe(text.replace(/[ \t]/g, ''));
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
