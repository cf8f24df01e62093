import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate, requireValidAt } from '../../../src/pki/certificate/client-certificate.ts';
import { type CertificateOptions, createTestCa, selfSigned } from '../../support/certificates.ts';
import { der as derOf, objectIdentifier, sequence } from '../../support/der.ts';
import {
  hugeCertificate,
  withDuplicateExtension,
  withIndefiniteLength,
  withLongFormLength,
  withSignatureAlgorithm,
  withTrailingBytes,
  x509v1,
} from '../../support/der-surgery.ts';
import { rsaPublicKey } from '../../support/keys.ts';
import { opensslThumbprint } from '../../support/openssl.ts';

const ca = createTestCa();

describe('a client certificate is accepted', () => {
  test.each<[string, CertificateOptions]>([
    ['EC P-256', { keyType: 'ec-p256' }],
    ['EC P-384', { keyType: 'ec-p384' }],
    ['EC brainpoolP256r1', { keyType: 'ec-brainpool-p256r1' }],
    ['EC brainpoolP512r1', { keyType: 'ec-brainpool-p512r1' }],
    ['RSA 2048', { keyType: 'rsa-2048' }],
    ['RSA 4096', { keyType: 'rsa-4096' }],
    ['Ed25519', { keyType: 'ed25519' }],
    ['without extended key usage', { eku: 'none' }],
    ['an RSA key of 8192 bits', { publicKey: rsaPublicKey({ bits: 8192, exponent: 65537n }) }],
    [
      'a SHA-1 signature, which does not affect the identity of the client',
      { signatureHash: 'SHA-1', keyType: 'rsa-2048' },
    ],
  ])('%s', async (_, options) => {
    const { der, pem } = ca.issue(options);
    const certificate = parseClientCertificate(der);
    expect(certificate.thumbprint).toBe(await opensslThumbprint(pem));
  });

  test('with its subject alternative names normalized', () => {
    const { der } = ca.issue({
      dns: ['Client.Example', 'b.example'],
      uris: ['spiffe://example/Client'],
      ips: ['192.0.2.7', '2001:db8::7'],
      emails: ['Client@Example.COM'],
    });
    expect(parseClientCertificate(der).alternativeNames).toEqual({
      dns: ['client.example', 'b.example'],
      uri: ['spiffe://example/Client'],
      ip: ['192.0.2.7', '2001:db8::7'],
      email: ['Client@example.com'],
    });
  });

  test('with its signature algorithm only if that is strong', () => {
    const algorithmOf = (options: CertificateOptions) => {
      const issuer = createTestCa({ keyType: options.keyType ?? 'ec-p256' });
      return parseClientCertificate(issuer.issue(options).der).signatureAlgorithm?.name;
    };
    expect(algorithmOf({ keyType: 'rsa-2048' })).toBe('sha256WithRSAEncryption');
    expect(algorithmOf({ keyType: 'ec-p256' })).toBe('ecdsa-with-SHA256');
    expect(algorithmOf({ keyType: 'ed25519' })).toBe('Ed25519');
    expect(algorithmOf({ keyType: 'rsa-2048', signatureHash: 'SHA-1' })).toBeUndefined();
    expect(algorithmOf({ keyType: 'ec-p256', signatureHash: 'SHA-1' })).toBeUndefined();
  });
});

test('client certificates share what they have in common, since thousands are cached', () => {
  const [one, other] = [ca.issue({ dns: ['one.example'] }), ca.issue()].map(({ der }) => parseClientCertificate(der));
  expect(one?.keyUsage).toBe(other?.keyUsage);
  expect(one?.extendedKeyUsage).toBe(other?.extendedKeyUsage);
  expect(one?.issuer).toBe(other?.issuer);
  expect(one?.crlDistributionPoints).toBe(other?.crlDistributionPoints);
  expect(one?.otherNames.malformed).toBe(other?.otherNames.malformed);
});

describe('a client certificate is rejected', () => {
  const { der } = ca.issue();
  test.each([
    ['trailing bytes', withTrailingBytes(der), 'trailing'],
    ['indefinite length', withIndefiniteLength(der), 'indefinite'],
    [
      'a length that is not minimally encoded, within the signed part',
      withLongFormLength(der),
      'not minimally encoded',
    ],
    ['X.509 v1', x509v1(ca).der, 'X.509 v1'],
    ['a repeated extension', withDuplicateExtension(ca).der, 'twice'],
    ['a CA', ca.issue({ ca: true }).der, 'CA certificate'],
    ['a self-signed CA', selfSigned({ ca: true }).der, 'CA certificate'],
    ['extended key usage for servers only', ca.issue({ eku: 'server' }).der, 'clientAuth'],
    ['RSA 1024', ca.issue({ keyType: 'rsa-1024' }).der, '1024 bits'],
    ['RSA 2047', ca.issue({ publicKey: rsaPublicKey({ bits: 2047, exponent: 65537n }) }).der, '2047 bits'],
    ['RSA 8193', ca.issue({ publicKey: rsaPublicKey({ bits: 8193, exponent: 65537n }) }).der, '8193 bits'],
    ['RSA with exponent 3', ca.issue({ publicKey: rsaPublicKey({ bits: 2048, exponent: 3n }) }).der, 'exponent 3'],
    ['RSA with exponent 1', ca.issue({ publicKey: rsaPublicKey({ bits: 2048, exponent: 1n }) }).der, 'exponent 1'],
    ['RSA, even exponent', ca.issue({ publicKey: rsaPublicKey({ bits: 2048, exponent: 65538n }) }).der, 'exponent'],
    [
      'a public key longer than any accepted one',
      ca.issue({ publicKey: rsaPublicKey({ bits: 2048, exponent: 2n ** 24_000n + 1n }) }).der,
      /has a public key of \d{4} bytes/,
    ],
    [
      'different signature algorithms inside and outside the signed part',
      withSignatureAlgorithm(der, sequence(objectIdentifier('1.3.101.112'))),
      'different signature algorithms inside and outside',
    ],
    ['17 KB', hugeCertificate(ca, 17_000).der, 'bytes long'],
    ['no bytes', new Uint8Array(), 'truncated'],
    ['an empty SEQUENCE', Buffer.from('3000', 'hex'), 'not a certificate'],
    ['a SEQUENCE of three empty elements', Buffer.from('3009300030000303000000', 'hex'), 'not'],
  ])('%s', (_, bytes, reason) => {
    const parse = () => parseClientCertificate(bytes);
    expect(parse).toThrow(CertificateError);
    expect(parse).toThrow(reason);
  });
});

describe('a subject alternative name that identifies no client is ignored:', () => {
  const nameOf = (tag: number, content: Uint8Array | string) => derOf(tag, Buffer.from(content));
  test.each([
    ['a dNSName with a NUL', nameOf(0x82, 'victim.example\0'), 'dns'],
    ['an rfc822Name with a NUL', nameOf(0x81, 'victim@example\0'), 'email'],
    ['an rfc822Name in UTF-8', nameOf(0x81, 'müller@victim.example'), 'email'],
    ['a uniformResourceIdentifier in UTF-8', nameOf(0x86, 'spiffe://victim\u00e9'), 'uri'],
    ['an iPAddress of five bytes', nameOf(0x87, Buffer.of(1, 2, 3, 4, 5)), 'ip'],
    ['an iPAddress with a mask', nameOf(0x87, Buffer.of(192, 0, 2, 7, 255, 255, 255, 255)), 'ip'],
    ['an empty iPAddress', nameOf(0x87, ''), 'ip'],
  ] as const)('%s', (_, name, kind) => {
    const value = sequence(name, nameOf(0x82, 'Client.Example'), nameOf(0x87, Buffer.of(192, 0, 2, 7)));
    const certificate = ca.issue({ extraExtensions: [{ oid: '2.5.29.17', value }] });
    const { alternativeNames, otherNames } = parseClientCertificate(certificate.der);
    expect(alternativeNames).toEqual({ dns: ['client.example'], uri: [], ip: ['192.0.2.7'], email: [] });
    expect([...otherNames.malformed.keys()]).toEqual([kind]);
  });
});

describe('the DER of an extension that restricts the use of a certificate', () => {
  const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const withExtension = (oid: string, hex: string) =>
    ca.issue({ eku: 'none', extraExtensions: [{ oid, value: bytes(hex) }] }).der;
  const clientAuth = '06 08 2b 06 01 05 05 07 03 02';

  test.each([
    ['extended key usage', '2.5.29.37', `30 0a ${clientAuth}`],
    ['empty subject alternative names', '2.5.29.17', '30 00'],
    ['extended key usage with two values', '2.5.29.37', `30 14 06 08 2b 06 01 05 05 07 03 01 ${clientAuth}`],
  ])('is accepted: %s', (_, oid, hex) => {
    expect(() => parseClientCertificate(withExtension(oid, hex))).not.toThrow();
  });

  test.each([
    ['an extended key usage of indefinite length', '2.5.29.37', `30 80 ${clientAuth} 00 00`, 'indefinite'],
    ['an extended key usage with a long-form length', '2.5.29.37', `30 81 0a ${clientAuth}`, 'not minimally encoded'],
    ['an extended key usage that is not a SEQUENCE', '2.5.29.37', `a0 0a ${clientAuth}`, 'not a SEQUENCE'],
    [
      'an extended key usage that contains a NULL',
      '2.5.29.37',
      `30 0c ${clientAuth} 05 00`,
      'not a SEQUENCE of object identifiers',
    ],
    ['an extended key usage with trailing bytes', '2.5.29.37', `30 0a ${clientAuth} 05 00`, 'trailing'],
    [
      'an extended key usage with a padded arc',
      '2.5.29.37',
      '30 0b 06 09 2b 80 06 01 05 05 07 03 02',
      'not minimally encoded',
    ],
    ['an empty extended key usage', '2.5.29.37', '30 00', 'extended key usage lacks clientAuth'],
    [
      'an extended key usage with a thousand values',
      '2.5.29.37',
      `30 82 0f a0 ${'06 02 2a 03'.repeat(1000)}`,
      'extended key usage lacks clientAuth',
    ],
    ['anyExtendedKeyUsage without clientAuth', '2.5.29.37', '30 06 06 04 55 1d 25 00', 'clientAuth'],
    ['subject alternative names as a SET', '2.5.29.17', '31 07 82 05 61 2e 63 6f 6d', 'not a SEQUENCE'],
    ['a subject alternative name with an unknown tag', '2.5.29.17', '30 03 0c 01 61', 'of an unknown form, tag 0xc'],
  ])('is rejected: %s', (_, oid, hex, reason) => {
    expect(() => parseClientCertificate(withExtension(oid, hex))).toThrow(reason);
  });

  test.each([
    ['a path length before CA:TRUE', '30 06 02 01 00 01 01 ff', 'not { cA, pathLenConstraint }'],
    ['CA:TRUE in BER', '30 03 01 01 01', 'BOOLEAN'],
    ['CA:TRUE after its end', '30 00 30 03 01 01 ff', 'trailing'],
    ['CA:TRUE in a SET', '31 03 01 01 ff', 'not { cA, pathLenConstraint }'],
    ['CA:TRUE', '30 03 01 01 ff', 'CA certificate'],
  ])('is rejected: basicConstraints with %s', (_, hex, reason) => {
    const { der } = ca.issue({ rawBasicConstraints: bytes(hex) });
    expect(() => parseClientCertificate(der)).toThrow(reason);
  });
});

test('a certificate of 16 KiB is parsed or rejected in less than 50 ms of CPU time', () => {
  const shapes = [
    ca.issue({ dns: Array.from({ length: 2400 }, (_, index) => `${index}`) }).der,
    ca.issue({
      subject: Array.from({ length: 60 }, (_, index) => ['CN', 'x'.repeat(150) + index] as [string, string]),
    }).der,
    ca.issue({ eku: Array.from({ length: 2500 }, (_, index) => `1.2.${index}`) }).der,
  ];
  for (const der of shapes) {
    expect(der.length).toBeGreaterThan(8_000);
    expect(der.length).toBeLessThan(16_384);
    const fastest = Math.min(...Array.from({ length: 5 }, () => elapsed(() => parseClientCertificate(der))));
    expect(fastest).toBeLessThan(50);
  }
});

/** CPU time of this thread in milliseconds, independent of the load of the machine. */
function elapsed(work: () => unknown): number {
  const start = process.threadCpuUsage();
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(CertificateError);
  }
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

describe('the validity period', () => {
  const notBefore = new Date('2026-01-01T00:00:00Z');
  const notAfter = new Date('2026-01-31T23:59:59Z');
  const certificate = parseClientCertificate(ca.issue({ notBefore, notAfter }).der);
  const at = (instant: string) => () => requireValidAt(certificate, Date.parse(instant));

  test('includes both ends, to the last millisecond', () => {
    expect(at('2026-01-01T00:00:00Z')).not.toThrow();
    expect(at('2026-01-31T23:59:59.999Z')).not.toThrow();
    expect(at('2025-12-31T23:59:59.999Z')).toThrow('not valid before 2026-01-01');
    expect(at('2026-02-01T00:00:00Z')).toThrow('expired at 2026-01-31');
  });
});
