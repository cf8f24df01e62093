import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CertificateError } from '../../../../src/pki/certificate/certificate-error.ts';
import { parseDer } from '../../../../src/pki/certificate/der.ts';
import {
  attributeTypeName,
  attributeTypeOid,
  hierarchyRank,
} from '../../../../src/pki/certificate/names/attribute-types.ts';
import {
  type DistinguishedName,
  decodeDistinguishedName,
  formatDistinguishedName,
  sameDistinguishedName,
} from '../../../../src/pki/certificate/names/distinguished-name.ts';
import { parseDistinguishedName } from '../../../../src/pki/certificate/names/parse.ts';
import { prepareString } from '../../../../src/pki/certificate/names/prepare-string.ts';
import { der, objectIdentifier, octetString, sequence, setOf } from '../../../support/der.ts';
import { encodeName, type NameParts, type RelativeName } from '../../../support/distinguished-name.ts';

/** RDNs in the order of the DER, each `{ type: value }`. */
const name = (...rdns: Record<string, string>[]): NameParts => rdns.map((rdn) => Object.entries(rdn));
const read = (parts: NameParts) => decodeDistinguishedName(parseDer(encodeName(parts)));
const same = (a: NameParts, b: NameParts) => sameDistinguishedName(read(a), read(b));
const bytes = (hex: string) => Buffer.from(hex, 'hex');
const marks = (count: number) => `a${'\u0301'.repeat(count)}`;
const voiced = `ｶ${'\uff9e\u0323'.repeat(16)}`;

describe('two names match if', () => {
  const rows: [string, NameParts, NameParts][] = [
    ['case differs', [['CN', 'Client.Example']], [['CN', 'cLIENT.eXAMPLE']]],
    ['Greek sigma is final in one', [['CN', 'ΟΔΟΣ']], [['CN', 'οδοσ']]],
    ['the string type differs', [['CN', 'a', 'utf8']], [['CN', 'a', 'printable']]],
    ['one is BMPString', [['CN', 'Zürich']], [['CN', 'Zürich', 'bmp']]],
    ['one is a surrogate pair in BMPString', [['CN', '𝔘😀']], [['CN', '𝔘😀', 'bmp']]],
    ['one is UniversalString', [['CN', 'ü😀']], [['CN', 'ü😀', 'universal']]],
    ['one is TeletexString, read as ISO 8859-1', [['CN', 'Zürich']], [['CN', 'Zürich', 'teletex']]],
    ['spaces stand at the ends', [['CN', 'a b']], [['CN', '  a b ']]],
    ['spaces inside are more', [['CN', 'a b']], [['CN', 'a \t\n  b']]],
    ['spaces are of other kinds', [['CN', 'a b']], [['CN', 'a\u00a0\u2003\u3000b']]],
    ['one is composed', [['CN', 'é']], [['CN', 'e\u0301']]],
    ['one is full-width', [['CN', 'abc']], [['CN', 'ＡＢＣ']]],
    ['one has a ligature', [['CN', 'office']], [['CN', 'oﬃce']]],
    ['emailAddress differs in case', [['emailAddress', 'A@B.c']], [['emailAddress', 'a@b.C']]],
    ['DC differs in case', [['DC', 'Example']], [['DC', 'example']]],
  ];
  it.each(rows)('%s', (_, a, b) => expect(same(a, b)).toBe(true));

  it('the attributes of one RDN are in a different order', () => {
    const parsed = parseDistinguishedName('serialNumber=1+OU=x+CN=a');
    expect(sameDistinguishedName(read(name({ CN: 'a', serialNumber: '1', OU: 'x' })), parsed)).toBe(true);
  });
});

describe('two names differ if', () => {
  const base: NameParts = name({ O: 'company' }, { OU: 'production' }, { CN: 'client' });
  const rows: [string, NameParts, NameParts][] = [
    ['the value differs', name({ CN: 'a' }), name({ CN: 'b' })],
    ['the type differs', name({ CN: 'a' }), name({ OU: 'a' })],
    ['the order differs', base, base.toReversed()],
    ['one has an RDN more', base, [...base, ['CN', 'more']]],
    ['one has an RDN less', base, base.slice(0, 2)],
    ['RDNs are joined into one', name({ OU: 'a' }, { CN: 'b' }), name({ OU: 'a', CN: 'b' })],
    ['a space stands inside only one', name({ CN: 'ab' }), name({ CN: 'a b' })],
    ['a letter merely looks alike', name({ CN: 'a' }), name({ CN: 'а' })],
    ['one i has no dot', name({ CN: 'admin' }), name({ CN: 'admın' })],
    ['one has ß', name({ CN: 'strasse' }), name({ CN: 'straße' })],
    ['a diaeresis after a space is no space', name({ CN: 'a b' }), name({ CN: 'a \u0308b' })],
    ['a value imitates the next attribute', name({ OU: 'a' }, { CN: 'b' }), name({ OU: 'a,CN=b' })],
    ['a space stands before the one with a diaeresis', name({ CN: 'a \u0308b' }), name({ CN: 'a  \u0308b' })],
    ['a value imitates the next OID', name({ CN: 'a' }, { O: 'x' }), name({ CN: 'a,2.5.4.10=x' })],
    ['a value imitates the canonical text', name({ CN: 'a"],["2.5.4.10=x' }), name({ CN: 'a' }, { O: 'x' })],
  ];
  it.each(rows)('%s', (_, a, b) => expect(same(a, b)).toBe(false));

  it('one has an OCTET STRING with the bytes of the other', () => {
    const encoded = sequence(setOf(sequence(objectIdentifier('2.5.4.3'), octetString(Buffer.from('a')))));
    const withOctetString = decodeDistinguishedName(parseDer(encoded));
    expect(sameDistinguishedName(withOctetString, read(name({ CN: 'a' })))).toBe(false);
    expect(sameDistinguishedName(withOctetString, read(name({ CN: '040161' })))).toBe(false);
    expect(sameDistinguishedName(withOctetString, parseDistinguishedName('CN=#040161'))).toBe(true);
    expect(sameDistinguishedName(withOctetString, parseDistinguishedName('CN=#040141'))).toBe(false);
  });
});

describe('a name matches nothing, not even itself, if it contains', () => {
  const twice: RelativeName = [
    ['CN', 'a'],
    ['CN', 'b'],
  ];
  const rows: [string, NameParts, RegExp, string][] = [
    ['no RDN', [], /empty/, ''],
    ['a NUL at the end of a value', [['CN', 'victim\0']], /CN contains U\+0000/, 'CN=victim\\00'],
    ['a NUL inside a value', [['CN', 'victim\0.evil']], /U\+0000/, 'CN=victim\\00.evil'],
    ['a NUL in a BMPString', [['CN', 'victim\0', 'bmp']], /U\+0000/, 'CN=victim\\00'],
    ['a control character', [['CN', 'a\u001bb']], /U\+001B/, 'CN=a\\1Bb'],
    ['DELETE', [['CN', 'a\u007f']], /U\+007F/, 'CN=a\\7F'],
    ['NEXT LINE', [['CN', 'a\u0085b']], /U\+0085/, 'CN=a\\C2\\85b'],
    ['a zero-width space', [['CN', 'vic\u200btim']], /U\+200B/, 'CN=vic\\E2\\80\\8Btim'],
    ['a soft hyphen', [['CN', 'vic\u00adtim']], /U\+00AD/, 'CN=vic\\C2\\ADtim'],
    ['a variation selector', [['CN', 'a\ufe0f']], /U\+FE0F/, 'CN=a\\EF\\B8\\8F'],
    ['a right-to-left override', [['CN', 'a\u202eb']], /U\+202E/, 'CN=a\\E2\\80\\AEb'],
    ['a byte order mark', [['CN', '\ufeffa']], /U\+FEFF/, 'CN=\\EF\\BB\\BFa'],
    ['a Hangul filler, which NFKC changes', [['CN', 'a\u3164']], /U\+1160/, 'CN=a\\E3\\85\\A4'],
    ['a private use character', [['CN', 'a\ue000']], /U\+E000/, 'CN=a\\EE\\80\\80'],
    ['a non-character', [['CN', 'a\uffff']], /U\+FFFF/, 'CN=a\\EF\\BF\\BF'],
    ['U+FFFD', [['CN', 'a\ufffd']], /U\+FFFD/, 'CN=a�'],
    ['an unassigned character', [['CN', 'a\u0378']], /U\+0378/, 'CN=a\\CD\\B8'],
    ['an empty value', [['CN', '']], /no visible/, 'CN='],
    ['a value of spaces', [['CN', ' \u00a0 ']], /no visible/, 'CN=\\ \u00a0\\ '],
    ['half a UTF-8 sequence', [['CN', bytes('61c3')]], /not a valid UTF8String/, 'CN=#0C0261C3'],
    ['overlong UTF-8', [['CN', bytes('c0ae')]], /not a valid UTF8String/, 'CN=#0C02C0AE'],
    ['a surrogate in UTF-8', [['CN', bytes('eda080')]], /not a valid UTF8String/, 'CN=#0C03EDA080'],
    [
      '@ in PrintableString',
      [['CN', 'a@b', 'printable']],
      /not a valid PrintableString: it contains "@"$/,
      'CN=#1303614062',
    ],
    ['a letter in NumericString', [['CN', '1a', 'numeric']], /not a valid NumericString/, 'CN=#12023161'],
    [
      '8 bits in IA5String',
      [['emailAddress', bytes('e4')]],
      /not a valid IA5String: it contains the byte 0xe4$/,
      'emailAddress=#1601E4',
    ],
    ['a lone surrogate in BMPString', [['CN', bytes('d800'), 'bmp']], /not a valid BMPString/, 'CN=#1E02D800'],
    ['half a BMPString character', [['CN', bytes('006100'), 'bmp']], /not a valid BMPString/, 'CN=#1E03006100'],
    ['a surrogate in UniversalString', [['CN', bytes('0000d800'), 'universal']], /Universal/, 'CN=#1C040000D800'],
    ['more than Unicode', [['CN', bytes('00110000'), 'universal']], /Universal/, 'CN=#1C0400110000'],
    ['a type twice in one RDN', [twice], /twice/, 'CN=a+CN=b'],
    ['31 combining marks in a row', [['CN', marks(31)]], /more than 30 combining marks/, `CN=${marks(31)}`],
    [
      'characters that NFKC turns into 31 combining marks',
      [['CN', voiced]],
      /more than 30 combining marks/,
      `CN=${voiced}`,
    ],
    ['an RDN without an attribute', [['O', 'x'], []], /without an attribute/, ',O=x'],
    ['65 attributes', Array.from({ length: 65 }, () => ['OU', 'x']), /more than 64/, Array(65).fill('OU=x').join()],
    ['a value of 4 KiB', [['CN', 'x'.repeat(4096)]], /longer than 1024/, `CN=${'x'.repeat(4096)}`],
    ['a value of 1025 characters', [['CN', 'x'.repeat(1025)]], /longer than 1024/, `CN=${'x'.repeat(1025)}`],
  ];
  it('65 attributes, but not 64', () => {
    expect(read(Array.from({ length: 64 }, () => ['OU', 'x'])).canonical).toBeDefined();
  });

  it('more than 30 combining marks in a row, but not 30', () => {
    expect(read([['CN', marks(30)]]).canonical).toBeDefined();
  });

  it.each(rows)('%s', (_, parts, reason, text) => {
    const name = read(parts);
    expect(name.canonical).toBeUndefined();
    expect('unmatchableReason' in name && name.unmatchableReason).toMatch(reason);
    expect(sameDistinguishedName(name, name)).toBe(false);
    expect(formatDistinguishedName(name)).toBe(text);
  });

  it('a NUL anywhere in any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (before, after) => {
        expect(read(name({ O: 'company' }, { CN: `${before}\0${after}` })).canonical).toBeUndefined();
      }),
    );
  });
});

describe('a malformed Name is rejected:', () => {
  const commonName = sequence(objectIdentifier('2.5.4.3'), der(0x0c, Buffer.from('a')));
  const rows: [string, Uint8Array, RegExp][] = [
    ['not a SEQUENCE', setOf(setOf(commonName)), /not a SEQUENCE/],
    ['an RDN that is not a SET', sequence(sequence(commonName)), /not a SET/],
    ['a type without a value', sequence(setOf(sequence(objectIdentifier('2.5.4.3')))), /a type and a value/],
    ['a value without a type', sequence(setOf(sequence(octetString(bytes('00')), octetString(bytes('00'))))), /a type/],
    ['a third part', sequence(setOf(sequence(objectIdentifier('2.5.4.3'), der(5), der(5)))), /a type and a value/],
  ];
  it.each(rows)('%s', (_, encoded, reason) => {
    expect(() => decodeDistinguishedName(parseDer(encoded))).toThrow(CertificateError);
    expect(() => decodeDistinguishedName(parseDer(encoded))).toThrow(reason);
  });
});

describe('a name is formatted', () => {
  const rows: [string, NameParts, string][] = [
    ['most specific first', name({ C: 'DE' }, { O: 'company' }, { CN: 'x' }), 'CN=x,O=company,C=DE'],
    ['with RFC 4514 escapes', name({ CN: ' "a",+;<b>\\#= ' }), 'CN=\\ \\"a\\"\\,\\+\\;\\<b\\>\\\\#=\\ '],
    ['with # escaped at the start', name({ CN: '#a#' }), 'CN=\\#a#'],
    ['on one line', name({ CN: 'a\r\nO=evil\u2028x' }), 'CN=a\\0D\\0AO=evil\\E2\\80\\A8x'],
    ['in UTF-8 if printable', name({ CN: 'Zürich 😀' }), 'CN=Zürich 😀'],
    [
      'by name also beyond RFC 4514',
      name({ serialNumber: '1' }, { emailAddress: 'a@b' }),
      'emailAddress=a@b,serialNumber=1',
    ],
    ['by OID and DER if the type has no known name', name({ '1.2.3.4': 'xyz' }), '1.2.3.4=#0C0378797A'],
    ['also with a long value', [['1.2.3.4', 'x'.repeat(200)]], `1.2.3.4=#0C81C8${'78'.repeat(200)}`],
  ];
  it.each(rows)('%s', (_, parts, text) => expect(formatDistinguishedName(read(parts))).toBe(text));
});

describe('string preparation', () => {
  const accepted = (text: string) => {
    try {
      return prepareString(text);
    } catch (error) {
      expect(error).toBeInstanceOf(CertificateError);
      return undefined;
    }
  };

  it('is idempotent for every character of Unicode, alone and among letters, spaces and marks', () => {
    const isStable = (text: string) => {
      const once = accepted(text);
      return once === undefined || accepted(once) === once;
    };
    const unstable: string[] = [];
    for (let first = 0; first <= 0x10ffff; first += 32) {
      const characters = Array.from({ length: 32 }, (_, index) => String.fromCodePoint(first + index));
      const texts = characters.filter((each) => !/\p{C}/u.test(each)).map((each) => `Σ ${each} \u0308Σ`);
      const stable = accepted(texts.join('')) === undefined ? texts.every(isStable) : isStable(texts.join(''));
      if (!stable) unstable.push(texts.join(''));
    }
    expect(unstable).toEqual([]);
  });

  it('is idempotent for texts', () => {
    const unit = fc.oneof(
      fc.constantFrom(' ', '\u00a0', '\u0308', '\u00a8', 'Σ', 'ς', 'İ', 'ß', '\u0345', 'ﬃ', '\ufdfa', '가', '\u1100'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const once = accepted(text);
        if (once !== undefined) expect(prepareString(once)).toBe(once);
      }),
    );
  });

  it('is the same for ASCII as in the general case', () => {
    const unit = fc.integer({ min: 0x00, max: 0x7f }).map((code) => String.fromCharCode(code));
    const printable = fc.integer({ min: 0x1f, max: 0x7f }).map((code) => String.fromCharCode(code));
    fc.assert(
      // A leading space is insignificant, but with it the text takes all steps.
      fc.property(fc.oneof(fc.string({ unit }), fc.string({ unit: printable })), (text) => {
        expect(accepted(text)).toBe(accepted(` ${text}`));
      }),
      { numRuns: 1_000 },
    );
  });

  it('rejects every character that RFC 4518 §2.2 maps to nothing', () => {
    const listed =
      '0-8 e-1f 7f-84 86-9f ad-ad 34f-34f 6dd-6dd 70f-70f 1806-1806 180b-180e 200b-200f 202a-202e 2060-2063 206a-206f ' +
      'fe00-fe0f feff-feff fff9-fffc 1d173-1d17a e0001-e0001 e0020-e007f';
    const ranges = listed.split(' ').map((range) => range.split('-').map((hex) => Number.parseInt(hex, 16)));
    for (const [first = 0, last = 0] of ranges) {
      for (let codePoint = first; codePoint <= last; codePoint++) {
        expect(accepted(`vic${String.fromCodePoint(codePoint)}tim`)).toBeUndefined();
      }
    }
  });
});

describe('attribute types', () => {
  const names =
    'CN L ST O OU C STREET DC UID commonName surname serialNumber countryName localityName stateOrProvinceName ' +
    'organizationName organizationalUnitName title description postalCode name givenName GN initials ' +
    'generationQualifier dnQualifier pseudonym emailAddress unstructuredName organizationIdentifier domainComponent ' +
    'userId businessCategory jurisdictionL jurisdictionST jurisdictionC S E T G I SN';
  it.each(names.split(' '))('%s is known in any case, and its printed name is parsed back', (name) => {
    const oid = attributeTypeOid(name);
    expect(oid).toBeDefined();
    expect(attributeTypeOid(name.toUpperCase())).toBe(oid);
    expect(attributeTypeOid(name.toLowerCase())).toBe(oid);
    expect(attributeTypeOid(attributeTypeName(oid ?? '') ?? '')).toBe(oid);
  });

  const rows: [string, string | undefined][] = [
    ['SN', '2.5.4.4'],
    ['serialnumber', '2.5.4.5'],
    ['S', '2.5.4.8'],
    ['E', '1.2.840.113549.1.9.1'],
    ['2.5.4.3', '2.5.4.3'],
    ['OID.2.5.4.3', '2.5.4.3'],
    ['oid.1.2.3', '1.2.3'],
    ['2.999.1', '2.999.1'],
    ['OID.CN', undefined],
    ['2', undefined],
    ['2.5.4.', undefined],
    ['2..5', undefined],
    ['2.5.4.03', undefined],
    ['3.1', undefined],
    ['1.40', undefined],
    ['constructor', undefined],
    ['', undefined],
  ];
  it.each(rows)('%j → %s', (name, oid) => expect(attributeTypeOid(name)).toBe(oid));

  it('are ranked from country to individual', () => {
    const ranks = ['C', 'ST', 'L', 'STREET', 'O', 'OU', 'CN'].map((name) =>
      hierarchyRank(attributeTypeOid(name) ?? ''),
    );
    expect(ranks).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(hierarchyRank('1.2.3')).toBeUndefined();
  });
});

describe('matching names form an equivalence relation', () => {
  const value = fc.string({ unit: fc.constantFrom('a', 'A', 'b', ' ', 'ß'), minLength: 1, maxLength: 3 });
  const attribute = fc.tuple(fc.constantFrom('CN', 'OU'), value, fc.constantFrom('utf8', 'bmp'));
  const name: fc.Arbitrary<DistinguishedName> = fc.array(attribute, { minLength: 1, maxLength: 2 }).map(read);

  it('that is symmetric, transitive, and reflexive for comparable names', () => {
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        expect(sameDistinguishedName(a, a)).toBe(a.canonical !== undefined);
        expect(sameDistinguishedName(a, b)).toBe(sameDistinguishedName(b, a));
        if (sameDistinguishedName(a, b) && sameDistinguishedName(b, c)) expect(sameDistinguishedName(a, c)).toBe(true);
      }),
    );
  });
});
