import { type CertificateOptions, createTestCa } from '../../../support/certificates.ts';
import {
  bitString,
  childrenOf,
  der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
} from '../../../support/der.ts';
import { generalName } from '../../../support/general-names.ts';
import { signatureAlgorithm, signatureOver } from '../../../support/keys.ts';

/** Client certificates of one CA that break a rule or that are unusual, by what is irregular about them. */

export const ca = createTestCa({ subject: [['CN', 'Root of irregular certificates']] });

/** Accepted, or how the reason of the rejection starts. */
type Verdict = 'accepted' | { readonly rejected: string };

export interface IrregularCertificate {
  readonly what: string;
  readonly der: Uint8Array;
  readonly countersign: Verdict;
  /** `openssl verify -purpose sslclient`, which is what nginx does. */
  readonly openssl: 'accepts' | 'rejects';
}

type Row = [what: string, certificate: Uint8Array, countersign: Verdict, openssl: 'accepts' | 'rejects'];

const rejected = (reason: string) => ({ rejected: reason });
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const issue = (options: CertificateOptions) => ca.issue(options).der;
const withExtension = (oid: string, value: Uint8Array, critical = false) =>
  issue({ withoutExtensions: [oid], extraExtensions: [{ oid, value, critical }] });
const withNames = (...names: Uint8Array[]) => withExtension('2.5.29.17', sequence(...names));
const withKeyUsage = (content: string) => withExtension('2.5.29.15', der(0x03, hex(content)), true);
const withBasicConstraints = (content: string) => issue({ rawBasicConstraints: hex(content) });
const withSerial = (content: string) => issue({ serial: hex(content) });
const withSubject = (...values: Uint8Array[]) =>
  issue({ subject: sequence(...values.map((value) => setOf(sequence(objectIdentifier('2.5.4.3'), value)))) });

const VALIDITY = 4;

/** A certificate whose TBSCertificate is changed before it is signed. */
function resigned(
  change: (fields: readonly Uint8Array[]) => readonly Uint8Array[],
  algorithm = signatureAlgorithm(ca.keys.privateKey, 'SHA-256'),
): Uint8Array {
  const [tbs = Buffer.of()] = childrenOf(ca.issue().der);
  const changed = sequence(...change(childrenOf(tbs)));
  return sequence(changed, algorithm, bitString(signatureOver(changed, ca.keys.privateKey, 'SHA-256')));
}

const ALGORITHM = 2;

/** A certificate whose signature algorithm has these parameters. */
function withParameters(parameters: Uint8Array): Uint8Array {
  const algorithm = sequence(objectIdentifier('1.2.840.10045.4.3.2'), parameters);
  return resigned((fields) => fields.with(ALGORITHM, algorithm), algorithm);
}

const withTimes = (...times: Uint8Array[]) =>
  resigned((fields) => fields.map((field, index) => (index === VALIDITY ? sequence(...times) : field)));
const withExtensions = (extensions: Uint8Array) =>
  resigned((fields) => [...fields.slice(0, -1), der(0xa3, extensions)]);
const withLastExtension = (extension: Uint8Array) =>
  resigned((fields) => {
    const [list = Buffer.of()] = childrenOf(fields.at(-1) ?? Buffer.of());
    return [...fields.slice(0, -1), der(0xa3, sequence(...childrenOf(list), extension))];
  });
const text = (tag: number, content: string) => der(tag, Buffer.from(content, 'latin1'));
const [since, until] = [text(0x17, '250101000000Z'), text(0x17, '491231235959Z')];
const { dns, uri, email, other, registeredId } = generalName;
const client = dns('client.example');

const encodingRows: Row[] = [
  [
    'critical FALSE written out',
    withLastExtension(sequence(objectIdentifier('1.2.3'), der(1, hex('00')), octetString(hex('0500')))),
    'accepted',
    'accepts',
  ],
  [
    'critical encoded as 01',
    withLastExtension(sequence(objectIdentifier('1.2.3'), der(1, hex('01')), octetString(hex('0500')))),
    rejected('not DER: a BOOLEAN of 01'),
    'rejects',
  ],
  ['cA FALSE written out', withBasicConstraints('30 03 01 01 00'), 'accepted', 'accepts'],
  ['cA encoded as 01', withBasicConstraints('30 03 01 01 01'), rejected('not DER: a BOOLEAN of 01'), 'accepts'],
  [
    'version v1 written out',
    resigned((fields) => [der(0xa0, integer(0n)), ...fields.slice(1)]),
    rejected('is X.509 v1'),
    'accepts',
  ],
  [
    'version v2',
    resigned((fields) => [der(0xa0, integer(1n)), ...fields.slice(1)]),
    rejected('is X.509 v2'),
    'accepts',
  ],
  [
    'version v4',
    resigned((fields) => [der(0xa0, integer(3n)), ...fields.slice(1)]),
    rejected('has an unknown X.509 version'),
    'accepts',
  ],
  ['a serial number of 0', withSerial('00'), 'accepted', 'accepts'],
  ['a negative serial number', withSerial('80'), 'accepted', 'accepts'],
  ['a serial number of 30 bytes', withSerial('11'.repeat(30)), 'accepted', 'accepts'],
  [
    'a padded serial number',
    withSerial('00 01'),
    rejected('not DER: an INTEGER that is not minimally encoded'),
    'rejects',
  ],
  [
    'unique identifiers of issuer and subject',
    resigned((fields) => [
      ...fields.slice(0, -1),
      der(0x81, hex('00 01')),
      der(0x82, hex('00 02')),
      ...fields.slice(-1),
    ]),
    'accepted',
    'accepts',
  ],
  [
    'unknown fields after the extensions',
    resigned((fields) => [...fields, der(0xa4, sequence())]),
    rejected('not a certificate: its TBSCertificate has unknown'),
    'rejects',
  ],
  ['GeneralizedTime before 2050', withTimes(since, text(0x18, '20491231235959Z')), 'accepted', 'accepts'],
  [
    'UTCTime without seconds',
    withTimes(since, text(0x17, '4912312359Z')),
    rejected('has a UTCTime that is not YYMMDDHHMMSSZ'),
    'rejects',
  ],
  [
    'UTCTime with an offset',
    withTimes(since, text(0x17, '491231235959+0100')),
    rejected('has a UTCTime that is not YYMMDDHHMMSSZ'),
    'rejects',
  ],
  [
    'GeneralizedTime with a fraction',
    withTimes(since, text(0x18, '20491231235959.5Z')),
    rejected('has a GeneralizedTime that is not YYYYMMDDHHMMSSZ'),
    'rejects',
  ],
  ['30 February', withTimes(since, text(0x17, '490230000000Z')), rejected('has a time that does not exist'), 'rejects'],
  ['a validity that ends in the year 9999', withTimes(since, text(0x18, '99991231235959Z')), 'accepted', 'accepts'],
  [
    'a third time',
    withTimes(since, until, until),
    rejected('not a certificate: its validity is not two times'),
    'rejects',
  ],
];

const extensionRows: Row[] = [
  ['an empty list of extensions', withExtensions(sequence()), 'accepted', 'accepts'],
  ['an unknown extension that is not critical', withExtension('1.2.3.4', hex('0500')), 'accepted', 'accepts'],
  ['an unknown extension that is not DER', withExtension('1.2.3.4', hex('30 80 ff')), 'accepted', 'accepts'],
  ['an unknown extension without content', withExtension('1.2.3.4', hex('')), 'accepted', 'accepts'],
  [
    'an unknown critical extension',
    withExtension('1.2.3.4', hex('0500'), true),
    rejected('the certificate has an unknown critical extension: 1.2.3.4'),
    'rejects',
  ],
  [
    'an unknown extension twice',
    issue({
      extraExtensions: [
        { oid: '1.2.3', value: hex('0500') },
        { oid: '1.2.3', value: hex('0500') },
      ],
    }),
    rejected('has extension 1.2.3 twice'),
    'accepts',
  ],
  [
    'the extended key usage twice',
    issue({ extraExtensions: [{ oid: '2.5.29.37', value: hex('300a06082b06010505070302') }] }),
    rejected('has extension 2.5.29.37 twice'),
    'rejects',
  ],
  [
    'an extension without a value',
    withLastExtension(sequence(objectIdentifier('1.2.3'))),
    rejected('has extension 1.2.3 without a value'),
    'rejects',
  ],
  ['a path length without cA', withBasicConstraints('30 03 02 01 00'), 'accepted', 'accepts'],
  ['a negative path length', withBasicConstraints('30 03 02 01 ff'), rejected('has a negative path length'), 'rejects'],
  ['a path length of ten bytes', withBasicConstraints(`30 0c 02 0a ${'11'.repeat(10)}`), 'accepted', 'accepts'],
  [
    'basicConstraints with a third field',
    withBasicConstraints('30 06 02 01 00 02 01 00'),
    rejected('has basicConstraints that are not { cA, pathLenConstraint }'),
    'rejects',
  ],
  ['a key usage with trailing zero bits', withKeyUsage('00 80 00'), 'accepted', 'accepts'],
  ['a key usage of five bytes', withKeyUsage('00 80 00 00 00 01'), 'accepted', 'accepts'],
  [
    'a key usage with padding that is not 0',
    withKeyUsage('07 81'),
    rejected('not DER: a BIT STRING with unused bits that are not 0'),
    'accepts',
  ],
  [
    'a key usage without any bit',
    withKeyUsage('00'),
    rejected('the certificate may not be used by a client: its key usage lacks digitalSignature'),
    'rejects',
  ],
  [
    'an empty extended key usage',
    withExtension('2.5.29.37', sequence()),
    rejected('is not a client certificate: its extended key usage lacks clientAuth'),
    'rejects',
  ],
  [
    '100 extended key usages',
    issue({ eku: [...Array.from({ length: 99 }, (_, index) => `1.2.3.${index}`), '1.3.6.1.5.5.7.3.2'] }),
    'accepted',
    'accepts',
  ],
  [
    'an extended key usage with an OID of 200 bytes',
    withExtension('2.5.29.37', sequence(objectIdentifier('1.3.6.1.5.5.7.3.2'), der(6, Buffer.alloc(200, 0x11)))),
    'accepted',
    'accepts',
  ],
  [
    'an authority key identifier with a serial number',
    withExtension('2.5.29.35', sequence(der(0xa1, der(0xa4, sequence())), der(0x82, hex('01')))),
    'accepted',
    'rejects',
  ],
  [
    'an authority key identifier that is not DER',
    withExtension('2.5.29.35', hex('30 80 00 00')),
    rejected('extension 2.5.29.35 is not DER: indefinite length'),
    'accepts',
  ],
  ['a subject key identifier of no bytes', withExtension('2.5.29.14', hex('0400')), 'accepted', 'accepts'],
];

const nameRows: Row[] = [
  [
    'attributes of an RDN out of order',
    issue({
      subject: sequence(
        der(
          0x31,
          sequence(objectIdentifier('2.5.4.11'), text(12, 'b')),
          sequence(objectIdentifier('2.5.4.11'), text(12, 'a')),
        ),
      ),
    }),
    'accepted',
    'accepts',
  ],
  ['an RDN without attributes', issue({ subject: sequence(setOf()) }), 'accepted', 'accepts'],
  ['an empty subject', issue({ subject: [] }), 'accepted', 'accepts'],
  ['an empty value', withSubject(text(12, '')), 'accepted', 'accepts'],
  ['a NUL in a value', withSubject(text(12, 'a\0b')), 'accepted', 'accepts'],
  ['a TeletexString', withSubject(text(0x14, 'M\xfcller')), 'accepted', 'accepts'],
  ['a BMPString', withSubject(der(0x1e, hex('0041'))), 'accepted', 'accepts'],
  ['an empty BMPString', withSubject(der(0x1e)), 'accepted', 'accepts'],
  ['an empty UniversalString', withSubject(der(0x1c)), 'accepted', 'accepts'],
  ['_ in a PrintableString', withSubject(text(0x13, 'a_b')), 'accepted', 'accepts'],
  ['8 bits in an IA5String', withSubject(der(0x16, hex('e4'))), 'accepted', 'accepts'],
  ['a BIT STRING as a value', withSubject(der(0x03, hex('00 01'))), 'accepted', 'accepts'],
  [
    '100 attributes',
    withSubject(...Array.from({ length: 100 }, (_, index) => text(12, `${index}`))),
    'accepted',
    'accepts',
  ],
  ['a value of 5,000 characters', withSubject(text(12, 'x'.repeat(5_000))), 'accepted', 'accepts'],
  [
    'UTF-8 that is not valid',
    withSubject(der(0x0c, hex('c3'))),
    rejected('cannot be parsed by OpenSSL: the value of CN is not a valid UTF8String'),
    'rejects',
  ],
  [
    'a BMPString of an odd length',
    withSubject(der(0x1e, hex('004100'))),
    rejected('cannot be parsed by OpenSSL: the value of CN is not a valid BMPString'),
    'rejects',
  ],
  [
    'a GeneralString as a value',
    withSubject(text(0x1b, 'a')),
    rejected('cannot be parsed by OpenSSL: the value of CN is a GeneralString'),
    'rejects',
  ],
  [
    'a BMPString with surrogates',
    withSubject(der(0x1e, hex('d83dde00'))),
    rejected('cannot be parsed by OpenSSL: the value of CN is a BMPString with a surrogate'),
    'rejects',
  ],
  [
    'a BIT STRING without a count of unused bits as a value',
    withSubject(der(0x03)),
    rejected('not DER: a BIT STRING without a count of unused bits'),
    'rejects',
  ],
  [
    'a unique identifier without a count of unused bits',
    resigned((fields) => [...fields.slice(0, 7), der(0x82), ...fields.slice(7)]),
    rejected('not DER: a BIT STRING without a count of unused bits'),
    'rejects',
  ],
  [
    'a curve as parameters of the signature algorithm',
    withParameters(objectIdentifier('1.2.840.10045.3.1.7')),
    'accepted',
    'accepts',
  ],
  [
    'a NULL with content as parameters of the signature algorithm',
    withParameters(hex('0502 ffff')),
    rejected('has a signatureAlgorithm with malformed parameters, or of an unknown type'),
    'rejects',
  ],
  [
    'a malformed object identifier as parameters of the signature algorithm',
    withParameters(hex('0601 80')),
    rejected('not DER: an OBJECT IDENTIFIER with an arc that is not minimally encoded'),
    'rejects',
  ],
  // DATE, DATE with a constructed form, and 268, whose last byte is the tag of a UTF8String.
  ...['1f1f 01 78', '3f1f 02 0500', '1f820c 01 78'].map(
    (value): Row => [
      `a value with a tag number above 30: ${value}`,
      withSubject(hex(value)),
      rejected('cannot be parsed by OpenSSL: the value of CN is of an ASN.1 type with a tag number above 30'),
      'rejects',
    ],
  ),
  [
    'an INTEGER as a value',
    withSubject(der(2, hex('01'))),
    rejected('cannot be parsed by OpenSSL: the value of CN is of the ASN.1 type 0x02'),
    'rejects',
  ],
  [
    'an attribute without a value',
    issue({ subject: sequence(setOf(sequence(objectIdentifier('2.5.4.3')))) }),
    rejected('not a distinguished name: an attribute that is not a type and a value'),
    'rejects',
  ],
];

const alternativeNameRows: Row[] = [
  ['no alternative name', withNames(), 'accepted', 'accepts'],
  [
    'an otherName with a GeneralString',
    withNames(client, other('1.3.6.1.5.2.2', sequence(der(0xa0, text(0x1b, 'REALM'))))),
    'accepted',
    'accepts',
  ],
  [
    'an otherName of every universal type',
    withNames(client, ...universalTypes().map((value) => other('1.2.3', value))),
    'accepted',
    'accepts',
  ],
  [
    'an otherName with a private tag above 30',
    withNames(client, other('1.2.3', hex('df 81 00 01 00'))),
    'accepted',
    'accepts',
  ],
  [
    'an otherName with BER',
    withNames(client, other('1.2.3', hex('30 80 00 00'))),
    rejected('extension 2.5.29.17 is not DER: indefinite length'),
    'accepts',
  ],
  ['an otherName nested 200 levels deep', withNames(client, other('1.2.3', nested(200))), 'accepted', 'accepts'],
  [
    'an x400Address and an ediPartyName',
    withNames(client, der(0xa3, sequence()), der(0xa5, der(0xa1, text(0x13, 'a')))),
    'accepted',
    'accepts',
  ],
  ['a registeredID', withNames(client, registeredId('1.2.3')), 'accepted', 'accepts'],
  [
    'a name of an unknown form',
    withNames(client, der(0x89, hex('01'))),
    rejected('has a subject alternative name of an unknown form, tag 0x89'),
    'rejects',
  ],
  ['a dNSName with a NUL', withNames(client, dns('victim\0')), 'accepted', 'accepts'],
  ['a dNSName with an underscore and a wildcard', withNames(dns('*.a_b.example')), 'accepted', 'accepts'],
  ['an rfc822Name in UTF-8', withNames(client, email('m\xc3\xbcller@client.example')), 'accepted', 'accepts'],
  ['an iPAddress of 5 bytes', withNames(client, der(0x87, Buffer.alloc(5))), 'accepted', 'accepts'],
  ['a URI that is none', withNames(client, uri('http://[')), 'accepted', 'accepts'],
  [
    'a name that is not a SEQUENCE',
    withExtension('2.5.29.17', setOf(client)),
    rejected('has subject alternative names that are not a SEQUENCE'),
    'rejects',
  ],
];

/** One value of every universal type of X.680, as in an otherName. */
function universalTypes(): Uint8Array[] {
  const primitive = [1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13, 14, 15, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30];
  const constructed = [0x28, 0x2b, 0x30, 0x31, 0x3d];
  const high = [31, 32, 33, 34, 35, 36].map((number) => Buffer.of(0x1f, number, 1, 0x41));
  return [...primitive.map((tag) => der(tag, contentOf(tag))), ...constructed.map((tag) => der(tag)), ...high];
}

function contentOf(tag: number): Uint8Array {
  const contents: Readonly<Record<number, string>> = { 1: 'ff', 3: '00', 5: '', 28: '00000041', 30: '0041' };
  return hex(contents[tag] ?? '41');
}

function nested(levels: number): Uint8Array {
  return Array.from({ length: levels }).reduce<Uint8Array>((inner) => sequence(inner), sequence());
}

export const irregularCertificates: readonly IrregularCertificate[] = [
  ...encodingRows,
  ...extensionRows,
  ...nameRows,
  ...alternativeNameRows,
].map(([what, bytes, countersign, openssl]) => ({ what, der: bytes, countersign, openssl }));
