import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RegisteredSubject } from '../../src/clients/methods/registered-subject.ts';
import { tlsClientAuth } from '../../src/clients/methods/tls-client-auth.ts';
import type { OAuthError } from '../../src/oauth/oauth-error.ts';
import { CertificateError } from '../../src/pki/certificate/certificate-error.ts';
import { type ClientCertificate, parseClientCertificate } from '../../src/pki/certificate/client-certificate.ts';
import { parseDistinguishedName } from '../../src/pki/certificate/names/parse.ts';
import { createCertificateReader } from '../../src/terminator/certificate-reader.ts';
import type { HeaderFormatName } from '../../src/terminator/formats.ts';
import { ForwardingError } from '../../src/terminator/forwarding-error.ts';
import { type CertificateOptions, createTestCa, selfSigned, toPem } from '../support/certificates.ts';
import { relativeTo } from '../support/cpu-time.ts';
import { der, integer, objectIdentifier, octetString, sequence, setOf } from '../support/der.ts';
import type { Attribute } from '../support/distinguished-name.ts';
import { type Forwarded, forwardedAs } from '../support/forwarded-as.ts';

/** In multiples of the CPU time for verifying the signature of an ordinary certificate, which is 30 times smaller. */
const READ_COST_LIMIT = 90;
/** In multiples of the CPU time for an ordinary certificate. */
const MISMATCH_COST_LIMIT = 40;
/** In characters. */
const LOG_TEXT_LIMIT = 1_300;
const formats = ['nginx', 'haproxy', 'apache', 'envoy', 'rfc9440', 'aws-alb-passthrough'] as const;

const ca = createTestCa();
const shortNames = (count: number) => Array.from({ length: count }, () => 'a');
const extension = (value: Uint8Array) => ({ oid: '1.3.6.1.4.1.99999.1', value });
const bytes = (length: number, first = 0x7f) => Buffer.alloc(length, 0xa5).fill(first, 0, 1);
const attribute: Attribute = ['CN', 'x'];
/** Normalization has to move each of the latter before all of the former. */
const worstOrder: Attribute = ['CN', `a${'\u0344'.repeat(450)}${'\u0f73'.repeat(570)}`, 'bmp'];
const growing: Attribute = ['CN', '\ufdfa'.repeat(1_020), 'bmp'];

function nested(depth: number, tag: number): Uint8Array {
  let inner: Uint8Array = Buffer.of(0x05, 0x00);
  for (let level = 0; level < depth; level++) inner = der(tag, inner);
  return inner;
}

const rsaKey = (modulus: Uint8Array, exponent: Uint8Array) =>
  sequence(
    sequence(objectIdentifier('1.2.840.113549.1.1.1'), Buffer.of(0x05, 0x00)),
    der(0x03, Buffer.of(0), sequence(der(0x02, modulus), der(0x02, exponent))),
  );

const manyExtensions = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ oid: `1.3.6.1.4.1.99999.${index}`, value: Buffer.of(0x05, 0x00) }));

/** What the holder of a key, or of a CA, can put into a certificate, up to the size of a header. */
const hostile: [string, CertificateOptions | (() => Uint8Array)][] = [
  ['20,000 names', { dns: shortNames(20_000) }],
  ['as many names as 16 KiB hold', { dns: shortNames(5_000) }],
  ['as many URIs', { uris: Array.from({ length: 3_000 }, () => 'a:') }],
  ['as many IP addresses', { ips: Array.from({ length: 2_500 }, (_, index) => `10.0.${index >> 8}.${index & 255}`) }],
  ['a name of 15,000 bytes', { dns: ['a'.repeat(15_000)] }],
  ['a subject of 1,000 attributes in one RDN', { subject: [Array.from({ length: 1_000 }, () => attribute)] }],
  ['a subject of 1,000 RDNs', { subject: Array.from({ length: 1_000 }, () => attribute) }],
  ['a subject of 15,000 spaces', { subject: [['CN', ' '.repeat(15_000)]] }],
  ['a subject of 5,000 combining marks', { subject: [['CN', `a${'\u0301\u0323'.repeat(2_500)}`]] }],
  ['a subject of 7,000 combining marks in the worst order', { subject: Array.from({ length: 7 }, () => worstOrder) }],
  ['a subject of 7,000 characters that become 128,000', { subject: Array.from({ length: 7 }, () => growing) }],
  ['a subject of 15,000 quotes', { subject: [['CN', '"'.repeat(15_000)]] }],
  ['a serial number of 15,000 bytes', { serial: bytes(15_000) }],
  ['a modulus of 15,000 bytes', { publicKey: rsaKey(bytes(15_000), Buffer.of(1, 0, 1)) }],
  ['an exponent of 15,000 bytes', { publicKey: rsaKey(bytes(256), bytes(15_000)) }],
  ['a modulus and an exponent of 1,024 bytes', { publicKey: rsaKey(bytes(1_024), bytes(1_024)) }],
  ['an extension of 4,000 nested SEQUENCEs', { extraExtensions: [extension(nested(4_000, 0x30))] }],
  ['a name of nested SETs', { subject: sequence(nested(4_000, 0x31)) }],
  ['nested context tags', { extraExtensions: [{ oid: '2.5.29.17', value: nested(4_000, 0xa0) }] }],
  ['7,000 NULLs', { subject: sequence(...Array.from({ length: 7_000 }, () => Buffer.of(0x05, 0x00))) }],
  ['7,000 empty SETs', { subject: sequence(...Array.from({ length: 7_000 }, () => setOf())) }],
  ['700 extensions', { extraExtensions: manyExtensions(700) }],
  [
    'an object identifier of 15,000 bytes',
    { eku: 'none', extraExtensions: [{ oid: '2.5.29.37', value: sequence(der(0x06, bytes(15_000))) }] },
  ],
  ['3,000 extended key usages', { eku: Array.from({ length: 3_000 }, () => '1.2.3') }],
  ['a path length of 15,000 bytes', { rawBasicConstraints: sequence(der(0x02, bytes(15_000))) }],
  ['an OCTET STRING of 15,000 bytes', { extraExtensions: [extension(octetString(bytes(15_000)))] }],
  ['16 KiB of zeros', () => Buffer.alloc(16_384)],
  ['16 KiB of SEQUENCEs that never end', () => Buffer.from('3080'.repeat(8_192), 'hex')],
  ['lengths beyond the end', () => Buffer.from('3082ffff'.repeat(4_096), 'hex')],
  ['5,000 INTEGERs', () => sequence(...Array.from({ length: 5_000 }, () => integer(1n)))],
];

// Issued once: with 20,000 names that takes longer than reading them.
const certificates = hostile.map(([title, options]) => {
  const isMinted = typeof options !== 'function';
  return [title, isMinted ? ca.issue(options) : { der: options(), pem: toPem(options()) }, isMinted] as const;
});

const ordinary = ca.issue({ subject: [['CN', 'ordinary']], dns: ['ordinary.example'] });

describe('reading a hostile certificate takes linear time', () => {
  test.each(certificates)('%s', (_, certificate) => {
    for (const name of formats) {
      expect(readingCost(name, certificate), name).toBeLessThan(READ_COST_LIMIT);
    }
  });

  test('ten of them in a chain', () => {
    const large = selfSigned({ dns: shortNames(5_000) });
    const [leaf, chain] = [selfSigned(), Array.from({ length: 10 }, () => large)];
    for (const name of ['traefik', 'aws-alb-passthrough', 'envoy'] as const) {
      expect(readingCost(name, leaf, chain), name).toBeLessThan(READ_COST_LIMIT);
    }
  });
});

const { publicKey } = new X509Certificate(ca.pem);
const signed = new X509Certificate(ordinary.pem);
const cost = relativeTo(() => signed.verify(publicKey));

/** The CPU time of reading a certificate, in multiples of verifying a signature. */
function readingCost(name: HeaderFormatName, leaf: Forwarded, chain: readonly Forwarded[] = []): number {
  return cost(reading(name, leaf, chain), READ_COST_LIMIT);
}

/** Without a cache: it is too small for any certificate. */
function reading(name: HeaderFormatName, leaf: Forwarded, chain: readonly Forwarded[]): () => void {
  const read = createCertificateReader(name, { entries: 1, bytes: 1 });
  const encoded = Object.values(forwardedAs[name](leaf, chain))[0] ?? '';
  return () => endsWell(() => read({ encoded, encodedChain: undefined }));
}

/** Names that none of the hostile certificates has. */
const registrations: readonly RegisteredSubject[] = [
  { kind: 'dn', name: parseDistinguishedName('CN=client,O=company') },
  ...(['dns', 'uri', 'ip', 'email'] as const).map((kind) => ({ kind, name: 'client' })),
];

describe('a hostile certificate that is acceptable matches no client', () => {
  const acceptable = certificates.flatMap(([title, { der }, isMinted]) =>
    isMinted ? parseIfAcceptable(der).map((certificate) => [title, certificate] as const) : [],
  );

  test('and several are acceptable', () => expect(acceptable.length).toBeGreaterThan(5));

  describe.each(registrations)('registered by $kind', (subject) => {
    let cost: ReturnType<typeof relativeTo>;
    beforeAll(() => {
      const certificate = parseClientCertificate(ordinary.der);
      cost = relativeTo(() => void rejection(certificate, subject));
    });

    test.each(acceptable)('and the comparison takes little time: %s', (_, certificate) => {
      const comparison = () => void rejection(certificate, subject);
      expect(cost(comparison, MISMATCH_COST_LIMIT)).toBeLessThan(MISMATCH_COST_LIMIT);
    });

    test.each(acceptable)('and does not fill the log: %s', (_, certificate) => {
      expect(certificate.subjectText.length).toBeLessThan(LOG_TEXT_LIMIT);
      expect(rejection(certificate, subject).reason.length).toBeLessThan(LOG_TEXT_LIMIT);
    });
  });
});

function rejection(certificate: ClientCertificate, subject: RegisteredSubject): OAuthError {
  const chain = { verified: true, reason: 'assumed', paths: undefined } as const;
  const registered = { subject, caPins: [], notAfter: undefined, description: undefined };
  if (tlsClientAuth.recognizes(registered, certificate)) throw new Error('the certificate is recognized');
  return tlsClientAuth.mismatch([registered], { kind: 'certificate', certificate, chain });
}

function parseIfAcceptable(der: Uint8Array): ClientCertificate[] {
  try {
    return [parseClientCertificate(der)];
  } catch (error) {
    if (error instanceof CertificateError) return [];
    throw error;
  }
}

function endsWell(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof CertificateError || error instanceof ForwardingError)) throw error;
  }
}
