import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CertificateError } from '../../../../src/pki/certificate/certificate-error.ts';
import { parseDer } from '../../../../src/pki/certificate/der.ts';
import {
  decodeDistinguishedName,
  formatDistinguishedName,
  sameDistinguishedName,
} from '../../../../src/pki/certificate/names/distinguished-name.ts';
import { parseDistinguishedName } from '../../../../src/pki/certificate/names/parse.ts';
import { selfSigned } from '../../../support/certificates.ts';
import { describeWith } from '../../../support/describe-with.ts';
import { type Attribute, encodeName, type NameParts } from '../../../support/distinguished-name.ts';
import { openssl } from '../../../support/openssl.ts';

/** RDNs in the order of the DER, each `{ type: value }`. */
const name = (...rdns: Record<string, string>[]): NameParts => rdns.map((rdn) => Object.entries(rdn));
const read = (parts: NameParts) => decodeDistinguishedName(parseDer(encodeName(parts)));
const rejectionReason = (text: string, notation?: 'dotnet') => {
  try {
    return `parsed as ${formatDistinguishedName(parseDistinguishedName(text, notation))}`;
  } catch (error) {
    if (error instanceof CertificateError) return error.message;
    throw error;
  }
};
const expectParsed = (text: string, parts: NameParts, notation?: 'dotnet') => {
  const parsed = parseDistinguishedName(text, notation);
  const asPrinted = `${text} → ${formatDistinguishedName(parsed)}`;
  expect(sameDistinguishedName(parsed, read(parts)), asPrinted).toBe(true);
};

const client: NameParts = name({ O: 'company' }, { OU: 'production' }, { CN: 'mtls.client' });

describe('a name is parsed in every notation', () => {
  const notations: [string, string][] = [
    ['RFC 4514', 'CN=mtls.client,OU=production,O=company'],
    ['RFC 4514, types in any case', 'cn=mtls.client,ou=production,o=company'],
    ['RFC 4514, types by OID', '2.5.4.3=mtls.client,OID.2.5.4.11=production,oid.2.5.4.10=company'],
    ['RFC 4514, values as hex', 'CN=#0c0b6d746c732e636c69656e74,OU=#130A70726F64756374696F6E,O=company'],
    ['RFC 4514, hex pairs', 'CN=mtls\\2Eclient,OU=\\70\\72oduction,O=company'],
    ['RFC 2253, semicolons', 'CN=mtls.client;OU=production;O=company'],
    ['openssl -nameopt RFC2253', 'subject=CN=mtls.client,OU=production,O=company'],
    ['openssl to 3.1', 'O = company, OU = production, CN = mtls.client'],
    ['openssl to 3.1, with prefix', 'subject=O = company, OU = production, CN = mtls.client\n'],
    ['openssl x509 -text', '        Subject: O = company, OU = production, CN = mtls.client'],
    ['openssl from 3.2, with prefix', 'subject=O=company, OU=production, CN=mtls.client\n'],
    ['openssl from 3.2', 'O=company, OU=production, CN=mtls.client'],
    ['openssl 1.0, with prefix', 'subject= /O=company/OU=production/CN=mtls.client'],
    ['openssl -nameopt compat', '/O=company/OU=production/CN=mtls.client'],
    ['curl -v', 'subject: O=company; OU=production; CN=mtls.client'],
    ['.NET, Java', 'CN=mtls.client, OU=production, O=company'],
    ['Windows dialog', 'CN = mtls.client\r\nOU = production\r\nO = company\r\n'],
    [
      'openssl -nameopt multiline',
      'subject=\n    organizationName = company\n    OU = production\n    CN = mtls.client\n',
    ],
    [
      'openssl -nameopt multiline without its first line',
      '    organizationName = company\n    OU = production\n    CN = mtls.client',
    ],
    ['with quotes', 'CN="mtls.client", OU="production", O="company"'],
    ['between blank lines', '\n \nCN=mtls.client,OU=production,O=company \r\n\r\n'],
  ];
  it.each(notations)('%s', (_, text) => expectParsed(text, client));

  it('.NET, declared as such', () => expectParsed('CN=mtls.client, OU=production, O=company', client, 'dotnet'));
});

describe('a subject DN is accepted', () => {
  const umlaut: NameParts = name({ CN: 'Zürich' });
  const rows: [string, NameParts][] = [
    ['CN=x', name({ CN: 'x' })],
    ['CN = x', name({ CN: 'x' })],
    ['CN=\\,\\+\\"\\\\\\<\\>\\;\\#\\ \\=x', name({ CN: ',+"\\<>;# =x' })],
    ['CN=\\ x\\ ', name({ CN: ' x ' })],
    ['CN=\\20x\\20,O=y', name({ O: 'y' }, { CN: ' x ' })],
    ['CN=a#b=c', name({ CN: 'a#b=c' })],
    ['CN=Z\\C3\\BCrich', umlaut],
    ['CN=Zürich', umlaut],
    ['CN = "Z\\C3\\BCrich"', umlaut],
    ['/CN=Z\\xC3\\xBCrich', umlaut],
    ['CN="a, b",O=y', name({ O: 'y' }, { CN: 'a, b' })],
    ['O = "a \\"b\\" \\\\", CN = x', name({ O: 'a "b" \\' }, { CN: 'x' })],
    ['CN=a+serialNumber=1,O=y', name({ O: 'y' }, { CN: 'a', serialNumber: '1' })],
    ['CN=a + SERIALNUMBER=1, O=y', name({ O: 'y' }, { CN: 'a', serialNumber: '1' })],
    ['O = y, serialNumber = 1 + CN = a', name({ O: 'y' }, { CN: 'a', serialNumber: '1' })],
    ['/O=y/serialNumber=1+CN=a', name({ O: 'y' }, { CN: 'a', serialNumber: '1' })],
    ['E=a@b.c, S=Bavaria, C=DE', name({ C: 'DE' }, { ST: 'Bavaria' }, { emailAddress: 'a@b.c' })],
    ['DC=com, DC=example, CN=x', name({ DC: 'com' }, { DC: 'example' }, { CN: 'x' })],
    ['CN=x, DC=example, DC=com', name({ DC: 'com' }, { DC: 'example' }, { CN: 'x' })],
    ['C=DE, description=d, CN=x', name({ C: 'DE' }, { '2.5.4.13': 'd' }, { CN: 'x' })],
    ['subject=CN=x, O=y', name({ CN: 'x' }, { O: 'y' })],
    ['subject=O=y,CN=x', name({ CN: 'x' }, { O: 'y' })],
    ['CN = x, O = y', name({ CN: 'x' }, { O: 'y' })],
    ['O = y,CN = x', name({ O: 'y' }, { CN: 'x' })],
    ['O=y,CN=x', name({ CN: 'x' }, { O: 'y' })],
    ['1.2.3.4=#0C0378797A', name({ '1.2.3.4': 'xyz' })],
    ['1.2.3.4=xyz', name({ '1.2.3.4': 'xyz' })],
    ['SN=Doe', name({ SN: 'Doe' })],
    ['/CN=a\\/b\\+c', name({ CN: 'a/b+c' })],
    ['/CN=a, b="c"', name({ CN: 'a, b="c"' })],
    [
      '/DC=com/DC=example/OU=a/OU=b/CN=x',
      name({ DC: 'com' }, { DC: 'example' }, { OU: 'a' }, { OU: 'b' }, { CN: 'x' }),
    ],
    ['    O = Acme, Inc.\n    CN = a + b\\\\', name({ O: 'Acme, Inc.' }, { CN: 'a + b\\' })],
    ['    CN = x\n    O = y', name({ CN: 'x' }, { O: 'y' })],
    [' O = y\n serialNumber = 1 + commonName      = a', name({ O: 'y' }, { CN: 'a', serialNumber: '1' })],
  ];
  it.each(rows)('%j', (text, parts) => expectParsed(text, parts));

  const dotnet: [string, NameParts][] = [
    ['CN=x', name({ CN: 'x' })],
    ['O=y, CN=x', name({ CN: 'x' }, { O: 'y' })],
    ['OU=a, OU=b', name({ OU: 'b' }, { OU: 'a' })],
    ['CN="a, ""b"" \\", O=c\\d', name({ O: 'c\\d' }, { CN: 'a, "b" \\' })],
    ['CN="#1", OID.1.2.3=z', name({ '1.2.3': 'z' }, { CN: '#1' })],
    ['CN=a + SERIALNUMBER=1, S=z', name({ ST: 'z' }, { CN: 'a', serialNumber: '1' })],
  ];
  it.each(dotnet)('from .NET: %j', (text, parts) => expectParsed(text, parts, 'dotnet'));
});

describe('a subject DN is rejected with the position or the fix', () => {
  const rows: [string, RegExp][] = [
    ['', /is empty/],
    [' \n ', /is empty/],
    ['subject=', /is empty/],
    ['mtls.client', /character 1: expected "type="/],
    ['=x', /character 1: expected "type="/],
    ['CN=', /character 4: an empty value/],
    ['CN=,O=y', /character 4: an empty value/],
    ['CN=""', /character 4: an empty value/],
    ['CN = ', /an empty value/],
    ['CN=\\20', /no visible character/],
    ['CN=x,', /character 6: expected "type="/],
    ['CN=x,,O=y', /character 6: expected "type="/],
    ['CN=x+', /character 6: expected "type="/],
    ['FOO=x', /"FOO" is not a known attribute type; write its OID/],
    ['CN=x,3.1=y', /character 6: "3\.1" is not a known attribute type/],
    ['issuer=CN=x', /"issuer" is not a known attribute type/],
    ['O=Acme, Inc.,CN=x', /character 9: expected "type="; escape a separator/],
    ['CN=C++', /character 6: expected "type="/],
    ['CN=a<b', /character 5: an unescaped <; write \\</],
    ['CN=a"b"', /character 5: an unescaped "/],
    ['CN="a', /character 4: an unclosed quotation mark/],
    ['CN="a"b', /character 7: expected a comma/],
    ['CN="a ""b"""', /character 8: expected a comma/],
    ['CN=a\\', /character 5: an invalid escape/],
    ['CN=a\\x', /character 5: an invalid escape/],
    ['CN=a\\4', /character 5: an invalid escape/],
    ['CN=a\\FC', /character 5: these hex pairs are not valid UTF-8/],
    ['CN=a\\C3x', /not valid UTF-8/],
    ['CN=a\\00', /CN contains U\+0000/],
    ['CN=a\0', /CN contains U\+0000/],
    ['CN=\ud800', /CN contains U\+D800/],
    ['CN=vic\u200btim', /CN contains U\+200B/],
    ['CN=#', /character 4: "#" without pairs of hex digits/],
    ['CN=#0c0', /character 4: "#" without pairs/],
    ['CN=#0c0161x', /character 11: expected a comma/],
    ['CN=#0c05', /character 4: the hex after "#" cannot be decoded: not DER/],
    ['CN=#0c016100', /trailing/],
    ['CN=#0c01ff', /CN is not a valid UTF8String/],
    ['CN=#0c0100', /CN contains U\+0000/],
    ['CN=a+CN=b', /the same attribute type twice/],
    ['CN=a+commonName=b,O=y', /the same attribute type twice/],
    ['CN=a,O=b;C=DE', /both "," and ";"/],
    ['CN =x', /a space on only one side of "="/],
    ['CN= x', /a space on only one side of "="/],
    ['CN=x ,O=y', /a space before ","/],
    ['CN=x+ OU=y', /a space before "\+"/],
    ['CN=x, OU=y,O=z', /direction .* O=z,OU=y,CN=x if .* CN=x,OU=y,O=z if/],
    ['CN = x, O=y', /direction .* ambiguous: it has spaces at some/],
    ['OU=a, OU=b', /direction .* OU=b,OU=a if .* OU=a,OU=b if/],
    ['C=DE, DC=com', /direction/],
    ['C=DE, CN=x, O=y', /direction/],
    ['description=x, CN=y', /direction/],
    ['CN=x, 1.2.3=y', /direction/],
    ['CN=x + description=z, O=y', /direction/],
    ['OU = a\nOU = b', /direction/],
    ['CN=x,OU=y,\nO=z', /several attributes on one line of a multi-line name/],
    ['    CN = x\n\n    O = y', /expected "type="/],
    ['    CN = M\\FCnchen\n    O = y', /escape that is ambiguous in this format/],
    ['/', /character 2: expected "type="/],
    ['/CN=', /an empty value/],
    ['/O=/CN=x', /an empty value/],
    ['/CN=http/host', /character 9: "\/" without "type=" after it; .* write \\\//],
    ['/CN=C++', /"\+" without "type="/],
    ['/CN=x/CN=admin', /character 6: a repeated type/],
    ['/O=a/CN=x+O=b', /a repeated type/],
    ['/O=a\\/CN=b', /character 5: an ambiguous backslash/],
    ['/O=a\\b', /an ambiguous backslash/],
    ['/CN=\\xFC', /not valid UTF-8/],
    [`CN=${'x'.repeat(1025)}`, /longer than 1024/],
    [`CN=${'x'.repeat(65_534)}`, /longer than 65536 bytes/],
    [`CN=${'é'.repeat(32_767)}`, /longer than 65536 bytes/],
    [Array.from({ length: 65 }, () => 'OU=x').join(','), /more than 64 attributes/],
  ];
  it.each(rows)('%j', (text, reason) => expect(rejectionReason(text)).toMatch(reason));

  const dotnet: [string, RegExp][] = [
    ['CN=x,O=y', /not in \.NET's format/],
    ['CN = x, O = y', /not in \.NET's format/],
    ['subject=CN=x', /"subject" is not a known attribute type/],
    ['/CN=x', /expected "type="/],
    ['CN="a', /unclosed/],
    ['CN=a\\, b', /expected "type="; put a value with a separator in quotation marks/],
    ['CN=a"b', /character 5: " outside quotation marks; put the value in quotation marks, and double/],
    ['CN=#1', /put a value that begins with "#" in quotation marks/],
  ];
  it.each(dotnet)('from .NET: %j', (text, reason) => expect(rejectionReason(text, 'dotnet')).toMatch(reason));
});

const codePoints = Array.from({ length: 0x34000 }, (_, codePoint) => String.fromCodePoint(codePoint));
const assigned = codePoints.filter((character) => !/\p{C}/u.test(character));
const anyCharacter = fc.oneof(
  fc.constantFrom(...',+"\\<>;#= /\'\t'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  fc.nat(assigned.length - 1).map((index) => assigned[index] ?? 'x'),
);
const anyAttribute = fc.tuple(
  fc.constantFrom('CN', 'O', 'OU', 'C', 'ST', 'DC', 'UID', 'serialNumber', 'emailAddress', 'SN', '1.2.3.4', '2.999.5'),
  fc.string({ unit: anyCharacter, minLength: 1, maxLength: 12 }),
  fc.constantFrom('utf8', 'universal'),
) satisfies fc.Arbitrary<Attribute>;
const anyRdn = fc.uniqueArray(anyAttribute, { selector: ([type]) => type, minLength: 1, maxLength: 3 });
const anyName = fc.array(anyRdn, { minLength: 1, maxLength: 4 }).filter((parts) => read(parts).canonical !== undefined);

describe('any name', () => {
  it('is parsed back from its formatted text', () => {
    fc.assert(fc.property(anyName, (parts) => expectParsed(formatDistinguishedName(read(parts)), parts)));
  });

  it('is formatted as one printable line', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constant('CN'), fc.string({ unit: 'binary' })), { minLength: 1 }), (parts) => {
        expect(formatDistinguishedName(read(parts))).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  const letters = fc.string({ unit: fc.constantFrom(...'abcdef'), minLength: 1, maxLength: 5 });
  const plainRdn: fc.Arbitrary<[string, string]> = fc.tuple(fc.constantFrom('CN', 'OU', 'O'), letters);
  const plainName = fc.array(plainRdn, { minLength: 1, maxLength: 5 });

  it('differs from one with another type, character or order', () => {
    fc.assert(
      fc.property(plainName, fc.nat(), fc.nat(), (parts, first, second) => {
        const [i, j] = [first % parts.length, second % parts.length];
        const [type, value] = parts[i] ?? ['CN', ''];
        const other = parts[j] ?? ['CN', ''];
        const at = second % value.length;
        const altered = `${value.slice(0, at)}x${value.slice(at + 1)}`;
        const changed: NameParts[] = [parts.with(i, ['UID', value]), parts.with(i, [type, altered])];
        const swapped: NameParts = parts.with(i, other).with(j, [type, value]);
        if (String(other) !== String([type, value])) changed.push(swapped);
        for (const each of changed) expect(sameDistinguishedName(read(parts), read(each))).toBe(false);
      }),
    );
  });
});

describe('any text', () => {
  const fragments = [
    'CN',
    'O',
    '=',
    ' = ',
    ',',
    ', ',
    ';',
    '+',
    ' + ',
    '"',
    '""',
    '\\',
    '#',
    '0c',
    '/',
    '\n',
    '\r',
    ' ',
  ];
  const pieces = fc.constantFrom(
    ...fragments,
    'a',
    'é',
    '\0',
    '\ud800',
    'subject=',
    '1.2.3',
    'CN=a',
    ', OU=b',
    '\\x41',
  );
  const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: pieces, maxLength: 30 }));

  it('is parsed or rejected with a CertificateError, and a parsed name round-trips', () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(undefined, 'dotnet' as const), (text, notation) => {
        const answer = rejectionReason(text, notation);
        if (!answer.startsWith('parsed as ')) return;
        const parsed = parseDistinguishedName(text, notation);
        const again = parseDistinguishedName(formatDistinguishedName(parsed));
        expect(sameDistinguishedName(parsed, again)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  const starts = ['', 'CN=', 'CN="', '/CN=', 'CN=#', ' CN = a\n CN=', 'subject=\n CN='];
  it.each(starts)('takes linear time for 64 KiB after %j', (start) => {
    for (const fragment of [...fragments, 'CN=a,', 'CN=a, ', '\n ', ', ', ',O', ' + O', '/O', '\\C3\\BC', '\r\n']) {
      const text = start + fragment.repeat(Math.floor((65_536 - start.length) / fragment.length));
      // CPU time of this thread, independent of the load of the machine.
      const times = [1, 2, 3].map(() => {
        const begin = process.threadCpuUsage();
        rejectionReason(text);
        const { user, system } = process.threadCpuUsage(begin);
        return (user + system) / 1000;
      });
      expect(Math.min(...times), JSON.stringify(fragment)).toBeLessThan(400);
    }
  });
});

describeWith(['openssl'], 'the output of openssl', () => {
  const print = (parts: NameParts, nameopt?: string) => {
    const options = nameopt === undefined ? [] : ['-nameopt', nameopt];
    return openssl(['x509', '-noout', '-subject', ...options], selfSigned({ subject: parts }).pem);
  };
  const withoutPrefix = (printed: string) => printed.replace(/^subject=\n?/, '');
  const usual: NameParts = name(
    { C: 'DE' },
    { ST: 'Nordrhein-Westfalen' },
    { O: 'company' },
    { serialNumber: '1', CN: 'mtls.client' },
  );
  // From 3.2 on openssl's default is what the last one asks of older releases.
  const options = [
    'oneline',
    'RFC2253',
    'compat',
    'multiline',
    'multiline,utf8,-esc_msb',
    'sep_comma_plus_space,sname',
  ];
  it.each([undefined, ...options])('with -nameopt %s is parsed, with and without "subject="', async (nameopt) => {
    const printed = await print(usual, nameopt);
    expectParsed(printed, usual);
    expectParsed(withoutPrefix(printed), usual);
  });

  const special: NameParts = name(
    { C: 'DE' },
    { L: 'Köln €😀' },
    { O: 'Acme, Inc. <"a"+b;c\\d>' },
    { OU: '#hash = x' },
    { OU: ' spaces ' },
    { '1.2.3.4': 'xyz' },
    { emailAddress: 'a@b.c' },
    { '1.3.6.1.4.1.311.60.2.1.3': 'DE' },
    { '2.5.4.97': 'PSDDE-1' },
    { UID: 'u' },
    { CN: 'x/CN=admin' },
  );
  it.each([undefined, 'oneline', 'RFC2253', 'oneline,lname', 'RFC2253,utf8,-esc_msb', 'multiline,utf8,-esc_msb'])(
    'with -nameopt %s is parsed with special characters',
    async (nameopt) => {
      expectParsed(await print(special, nameopt), special);
    },
  );

  it.each(['multiline', 'compat', 'sep_comma_plus_space,sname'])(
    'with -nameopt %s is rejected with special characters, which are ambiguous',
    async (nameopt) => {
      expect(rejectionReason(await print(special, nameopt))).not.toMatch(/^parsed as/);
    },
  );

  const reversed: NameParts = name({ CN: 'user' }, { O: 'group' });
  it.each([undefined, ...options])('with -nameopt %s is parsed for a name that starts with CN', async (nameopt) => {
    expectParsed(await print(reversed, nameopt), reversed);
  });

  it.each(['RFC2253', 'oneline'])('with -nameopt %s is parsed as the same name, for any name', async (nameopt) => {
    // openssl does not escape a value that is only "#"; we reject it.
    const names = anyName.filter((parts) => !parts.flat().some(([, value]) => value === '#'));
    const property = fc.asyncProperty(names, async (parts) => expectParsed(await print(parts, nameopt), parts));
    await fc.assert(property, { numRuns: 20 });
  });
});
