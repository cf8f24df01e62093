import fc from 'fast-check';
import type { CertificateOptions } from '../../../support/certificates.ts';
import { der, sequence } from '../../../support/der.ts';
import type { NameParts } from '../../../support/distinguished-name.ts';
import {
  alternativeNames,
  type GeneralName,
  generalName,
  nameConstraints,
  rawNameConstraints,
  unknownOtherName,
} from '../../../support/general-names.ts';

const { dns, uri, email, ip, directory, registeredId, utf8Mailbox } = generalName;
const ours = ['O', 'Ours'] as const;
const client = ['CN', 'client'] as const;

const holders: readonly NameParts[] = [[ours], [ours, client], [['O', 'Others']], [['O', 'OURS']]];

/** Names of few hosts and organizations, so that they are often within the same subtrees. */
const names: Readonly<Record<string, readonly GeneralName[]>> = {
  dns: ['a.example', 'b.a.example', 'B.A.Example', 'c.example', '*.a.example', '*.example', 'xa.example', 'a'].map(dns),
  uri: ['https://a.example/x', 'spiffe://a.example/x', 'https://b.a.example', 'https://c.example:1/', 'urn:x:y'].map(
    uri,
  ),
  hostlessUri: ['https://192.0.2.1/', 'https://[2001:db8::1]/', 'https://u@a.example/', 'https://a.example?x'].map(uri),
  email: ['x@a.example', 'X@a.example', 'x@b.a.example', 'y@A.Example', 'x@c.example', '"x"@a.example'].map(email),
  ip: ['10.0.0.1', '10.200.0.1', '192.0.2.1', '2001:db8::1', '2001:db9::1'].map(ip),
  directory: holders.map(directory),
  other: [unknownOtherName, registeredId('1.2.3')],
  utf8Mailbox: [utf8Mailbox('ä@a.example'), utf8Mailbox('ä@c.example')],
};

const bases: Readonly<Record<string, readonly GeneralName[]>> = {
  dns: ['a.example', 'A.EXAMPLE', '.a.example', 'example', 'b.a.example', '', 'c.example'].map(dns),
  uri: ['a.example', '.a.example', '.example', 'A.Example', ''].map(uri),
  email: ['a.example', '.a.example', 'x@a.example', 'x@A.example', '.example', ''].map(email),
  ip: ['10.0.0.0/8', '10.128.0.0/9', '0.0.0.0/0', '2001:db8::/32', '::/0', '192.0.2.1/32'].map(ip),
  directory: [[], ...holders, [['O', ' ours ']] as const].map(directory),
  other: [unknownOtherName, registeredId('1.2.3')],
};

const oneOf = (table: Readonly<Record<string, readonly GeneralName[]>>) =>
  fc.constantFrom(...Object.values(table)).chain((list) => fc.constantFrom(...list));

export const someNames: fc.Arbitrary<CertificateOptions> = fc
  .tuple(fc.array(oneOf(names), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([list, critical]) => ({ extraExtensions: [{ ...alternativeNames(...list), critical }] }));

/** Subjects with a host name in the CN, an email address, or neither. */
const subjectNames: readonly NameParts[] = [
  [ours, ['CN', 'b.a.example']],
  [ours, ['CN', '*.a.example']],
  [ours, ['CN', 'c.example']],
  [ours, client, ['emailAddress', 'x@a.example']],
  [ours, ['emailAddress', 'x@c.example']],
  [['O', 'Others'], client],
  [['O', ' OURS'], client],
  [['O', 'Ours', 'printable'], client],
  [client, ours],
];

export const subjects: fc.Arbitrary<CertificateOptions> = fc
  .constantFrom(...subjectNames)
  .map((subject) => ({ subject }));

const subtrees = fc.array(oneOf(bases), { maxLength: 3 });

export const constraints: fc.Arbitrary<CertificateOptions> = fc
  .tuple(subtrees, subtrees, fc.boolean())
  .filter(([permitted, excluded]) => permitted.length + excluded.length > 0)
  .map(([permitted, excluded, critical]) => ({
    extraExtensions: [{ ...nameConstraints({ permitted, excluded }), critical }],
  }));

/** Name constraints that RFC 5280 §4.2.1.10 does not allow. */
export const malformedConstraints: fc.Arbitrary<CertificateOptions> = fc
  .tuple(
    fc.constantFrom(0xa0, 0xa1),
    fc.constantFrom(
      sequence(dns('a.example'), der(0x80, Buffer.of(1))),
      sequence(dns('a.example'), der(0x81, Buffer.of(9))),
      sequence(dns('*.a.example')),
      sequence(uri('https://a.example')),
      sequence(email('@a.example')),
      sequence(der(0x87, Buffer.of(10, 0, 0, 0, 255, 0, 255, 0))),
      sequence(der(0x87, Buffer.of(10, 0, 0, 0))),
    ),
  )
  .map(([tag, subtree]) => ({ extraExtensions: [rawNameConstraints(der(tag, subtree))] }));
