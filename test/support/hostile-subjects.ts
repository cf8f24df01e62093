import fc from 'fast-check';
import type { CertificateOptions } from './certificates.ts';
import type { Attribute, RelativeName, StringType } from './distinguished-name.ts';
import { alternativeNames, type GeneralName, generalName, unknownOtherName } from './general-names.ts';

/**
 * The names of a client: its parts that only this client has contain `own`, and all other parts are the same for every
 * client.
 */
export type HostileNames = (own: string) => Pick<CertificateOptions, 'subject' | 'extraExtensions'>;

/** What YAML, RFC 4514, terminals and Unicode can make of a value. */
const texts = [
  '',
  ' ',
  ' a',
  'a ',
  'a  b',
  '#a',
  'a #b',
  'a: b',
  '- a',
  ': ',
  '*',
  '&a',
  '!a',
  '|',
  '>-',
  '%a',
  '@',
  '`',
  '?',
  '---',
  '...',
  '[a]',
  '{a: b}',
  '<<',
  'no',
  'Y',
  'on',
  '~',
  'null',
  '0x10',
  '012',
  '1e3',
  '1_000',
  '1:30',
  '.inf',
  '2027-01-31',
  'a,b',
  'a+b=c',
  'CN=a',
  '/CN=a',
  'a;b<c>d',
  '"a"',
  "it's",
  '\\',
  '\\2C',
  'a\\',
  'a\nb',
  'a\r\nb',
  '\ta',
  'a\0b',
  'a\u001bb',
  'a\u007fb',
  'a\u0085b',
  'a\u2028b',
  'a\u00a0b',
  '\ufeffa',
  'a\u200bb',
  '\u202ea',
  'a\u2066b',
  '\u05e9\u05dc\u05d5\u05dd',
  '\u00e9',
  'e\u0301',
  'ß',
  'ΑΣ',
  'Å',
  'ＡＢ',
  'ﬁ',
  '日本',
  '\u{1f600}',
  '\u{e0001}',
  '\ue000',
  `a${'\u0301'.repeat(31)}`,
  'x'.repeat(300),
  'ä'.repeat(1000),
  '\n'.repeat(900),
  'x'.repeat(1100),
  'x'.repeat(5000),
] as const;

const stringTypes: readonly StringType[] = [
  ...Array<StringType>(5).fill('utf8'),
  'printable',
  'ia5',
  'numeric',
  'teletex',
  'bmp',
  'universal',
];

/** Content that is not what its string type says. */
const rawValues: readonly (readonly [Uint8Array, StringType])[] = [
  [Buffer.of(0xc3), 'utf8'],
  [Buffer.of(0xd8, 0x00), 'bmp'],
  [Buffer.of(0xd8, 0x3d, 0xde, 0x00), 'bmp'],
  [Buffer.of(0x00, 0x11, 0x00, 0x00), 'universal'],
  [Buffer.of(0x00), 'bmp'],
  [Buffer.of(0xff), 'teletex'],
];

const ownTypes = ['CN', 'serialNumber', 'UID', 'emailAddress', '2.5.4.45', '2.5.4.65'] as const;
const sharedTypes = [
  'O',
  'OU',
  'C',
  'L',
  'ST',
  'STREET',
  'DC',
  'title',
  'GN',
  'SN',
  'dnQualifier',
  '2.5.4.15',
  '2.5.4.97',
  '1.3.6.1.4.1.311.60.2.1.3',
  '1.3.6.1.4.1.99999.7',
] as const;
/** Values of individual attributes that every client has. */
const sharedNames = [
  'localhost',
  '*.example.com',
  '127.0.0.1',
  '10.0.0.7',
  'AWS IoT Certificate',
  'spiffe://td',
  'admin@acme.example',
  'root@localhost',
];

type Part<Value> = (own: string) => Value;

const ownAttribute: fc.Arbitrary<Part<Attribute>> = fc
  .tuple(fc.constantFrom(...ownTypes), fc.constantFrom(...texts), fc.boolean(), fc.constantFrom(...stringTypes))
  .map(([type, text, isBefore, stringType]) => (own) => [type, isBefore ? text + own : own + text, stringType]);

const sharedAttribute: fc.Arbitrary<Part<Attribute>> = fc
  .oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...sharedTypes), fc.constantFrom('Acme', ...texts)) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom(...ownTypes), fc.constantFrom(...sharedNames)),
    },
  )
  .chain(([type, text]) =>
    fc.constantFrom(...stringTypes).map((stringType) => () => [type, text, stringType] as const),
  );

const rawAttribute: fc.Arbitrary<Part<Attribute>> = fc
  .tuple(fc.constantFrom(...sharedTypes), fc.constantFrom(...rawValues))
  .map(([type, [content, stringType]]) => () => [type, content, stringType]);

const bitStringAttribute: fc.Arbitrary<Part<Attribute>> = fc.constant((own) => ['2.5.4.45', own, 'bits']);

const attribute = fc.oneof(
  { weight: 4, arbitrary: ownAttribute },
  { weight: 6, arbitrary: sharedAttribute },
  { weight: 1, arbitrary: rawAttribute },
  { weight: 1, arbitrary: bitStringAttribute },
);

const rdn: fc.Arbitrary<Part<RelativeName>> = fc.oneof(
  { weight: 8, arbitrary: attribute },
  {
    weight: 2,
    arbitrary: fc
      .array(attribute, { minLength: 2, maxLength: 3 })
      .map((parts) => (own: string) => parts.map((part) => part(own))),
  },
);

/** SANs that only one client has. */
const ownAlternativeNames: readonly Part<GeneralName>[] = [
  (own) => generalName.dns(`host-${own}.example.com`),
  (own) => generalName.dns(`HOST-${own}.Example.com`),
  (own) => generalName.dns(`_${own}.a..b`),
  (own) => generalName.dns(`host-${own}.example.com.`),
  (own) => generalName.dns(`-${own}`),
  (own) => generalName.dns(`a b ${own}`),
  (own) => generalName.dns(`${'a.'.repeat(120)}${own}`),
  (own) => generalName.dns(`${'a.'.repeat(150)}${own}`),
  (own) => generalName.uri(`spiffe://td/ns/a/sa/${own}`),
  (own) => generalName.uri(`urn:uuid:${own}`),
  (own) => generalName.uri(`urn:a b:${own}`),
  (own) => generalName.uri(`https://localhost/${own}`),
  (own) => generalName.uri(`urn:# *&!: '"${own}`),
  (own) => generalName.uri(`urn:#*&!:'"${own}`),
  (own) => generalName.uri(`urn:${own}${'x'.repeat(5000)}`),
  (own) => generalName.uri(own),
  (own) => generalName.ip(`203.0.${Number(own) >> 8}.${Number(own) & 255}`),
  (own) => generalName.ip(`2001:db8::${own.slice(0, 4)}`),
  (own) => generalName.email(`${own}@example.com`),
  (own) => generalName.email(`${own}@EXAMPLE.com`),
  (own) => generalName.email(`"${own} b"@example.com`),
  (own) => generalName.email(`${own}@b@example.com`),
  (own) => generalName.email(`${'x'.repeat(70)}${own}@example.com`),
  (own) => generalName.email(`host-${own}.example.com`),
  (own) => generalName.directory([['CN', own]]),
  (own) => generalName.utf8Mailbox(`ä${own}@example.com`),
];

/** SANs that every client has. */
const sharedAlternativeNames: readonly GeneralName[] = [
  ...[
    'localhost',
    'a.localhost',
    'localhost.localdomain',
    '*',
    '*.example.com',
    'a.*.example.com',
    '127.0.0.1',
    '',
  ].map(generalName.dns),
  ...[
    'spiffe://td',
    'spiffe://td/',
    'SPIFFE://td',
    'https://localhost',
    'https://127.0.0.1:8443/',
    'opc.tcp://[::1]:4840',
  ].map(generalName.uri),
  ...[
    '127.0.0.1',
    '10.1.2.3',
    '172.17.0.2',
    '192.168.1.1',
    '169.254.0.1',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
  ].map(generalName.ip),
  generalName.ip('::ffff:7f00:1'),
  ...['admin@acme.example', 'WebMaster@acme.example', 'a@localhost', 'a@127.0.0.1'].map(generalName.email),
  generalName.registeredId('1.2.3.4'),
  unknownOtherName,
];

const alternativeName: fc.Arbitrary<Part<GeneralName>> = fc.oneof(
  fc.constantFrom(...ownAlternativeNames),
  fc.constantFrom(...sharedAlternativeNames).map((name) => () => name),
);

/** A CN that only repeats the company. */
const companyNames: fc.Arbitrary<readonly Part<RelativeName>[]> = fc
  .constantFrom('Acme', 'ACME', ' acme ')
  .map((name) => [() => ['O', 'Acme'], () => ['CN', name]]);

const subject: fc.Arbitrary<readonly Part<RelativeName>[]> = fc.oneof(
  { weight: 9, arbitrary: fc.array(rdn, { maxLength: 5 }) },
  { weight: 1, arbitrary: companyNames },
);

export const hostileNames: fc.Arbitrary<HostileNames> = fc
  .tuple(subject, fc.oneof(fc.constant([]), fc.array(alternativeName, { minLength: 1, maxLength: 4 })))
  .map(([rdns, names]) => (own) => ({
    subject: rdns.map((part) => part(own)),
    extraExtensions: names.length === 0 ? [] : [alternativeNames(...names.map((part) => part(own)))],
  }));
