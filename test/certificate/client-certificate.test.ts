import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../src/certificate/certificate-error.ts';
import { parseClientCertificate, requireValidAt } from '../../src/certificate/client-certificate.ts';
import { type CertificateOptions, createCertificateAuthority, selfSigned } from '../support/certificates.ts';
import {
  hugeCertificate,
  withDuplicateExtension,
  withIndefiniteLength,
  withLongFormLength,
  withTrailingBytes,
  x509v1,
} from '../support/der-surgery.ts';
import { rsaPublicKey } from '../support/keys.ts';
import { opensslThumbprint } from '../support/openssl.ts';

const authority = createCertificateAuthority();

describe('a client certificate is accepted', () => {
  test.each<[string, CertificateOptions]>([
    ['EC P-256', { keyType: 'ec-p256' }],
    ['EC P-384', { keyType: 'ec-p384' }],
    ['RSA 2048', { keyType: 'rsa-2048' }],
    ['RSA 4096', { keyType: 'rsa-4096' }],
    ['Ed25519', { keyType: 'ed25519' }],
    ['without extended key usage', { eku: 'none' }],
    ['an RSA key of 8192 bits', { publicKey: rsaPublicKey({ bits: 8192, exponent: 65537n }) }],
    ['a SHA-1 signature, which says nothing about who it is', { signatureHash: 'SHA-1', keyType: 'rsa-2048' }],
  ])('%s', async (_, options) => {
    const { der, pem } = authority.issue(options);
    const certificate = parseClientCertificate(der);
    expect(certificate.thumbprint).toBe(await opensslThumbprint(pem));
  });

  test('and its subject alternative names are read', () => {
    const { der } = authority.issue({
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

  test('and what signed it is named only where it is strong', () => {
    const algorithmOf = (options: CertificateOptions) => {
      const issuer = createCertificateAuthority({ keyType: options.keyType ?? 'ec-p256' });
      return parseClientCertificate(issuer.issue(options).der).signatureAlgorithm;
    };
    expect(algorithmOf({ keyType: 'rsa-2048' })).toBe('sha256WithRSAEncryption');
    expect(algorithmOf({ keyType: 'ec-p256' })).toBe('ecdsa-with-SHA256');
    expect(algorithmOf({ keyType: 'ed25519' })).toBe('Ed25519');
    expect(algorithmOf({ keyType: 'rsa-2048', signatureHash: 'SHA-1' })).toBeUndefined();
    expect(algorithmOf({ keyType: 'ec-p256', signatureHash: 'SHA-1' })).toBeUndefined();
  });
});

describe('a client certificate is refused', () => {
  const { der } = authority.issue();
  test.each([
    ['trailing octets', withTrailingBytes(der), 'trailing'],
    ['indefinite length', withIndefiniteLength(der), 'indefinite'],
    ['a length in more octets than it needs, within what is signed', withLongFormLength(der), 'fewest octets'],
    ['X.509 v1', x509v1(authority).der, 'X.509 v1'],
    ['one extension twice', withDuplicateExtension(authority).der, 'twice'],
    ['a CA', authority.issue({ ca: true }).der, 'CA certificate'],
    ['a self-signed CA', selfSigned({ ca: true }).der, 'CA certificate'],
    ['extended key usage for servers only', authority.issue({ eku: 'server' }).der, 'clientAuth'],
    ['RSA 1024', authority.issue({ keyType: 'rsa-1024' }).der, '1024 bits'],
    ['RSA 2047', authority.issue({ publicKey: rsaPublicKey({ bits: 2047, exponent: 65537n }) }).der, '2047 bits'],
    ['RSA 8193', authority.issue({ publicKey: rsaPublicKey({ bits: 8193, exponent: 65537n }) }).der, '8193 bits'],
    [
      'RSA with exponent 3',
      authority.issue({ publicKey: rsaPublicKey({ bits: 2048, exponent: 3n }) }).der,
      'exponent 3',
    ],
    [
      'RSA with exponent 1',
      authority.issue({ publicKey: rsaPublicKey({ bits: 2048, exponent: 1n }) }).der,
      'exponent 1',
    ],
    [
      'RSA, even exponent',
      authority.issue({ publicKey: rsaPublicKey({ bits: 2048, exponent: 65538n }) }).der,
      'exponent',
    ],
    ['17 KB', hugeCertificate(authority, 17_000).der, 'octets long'],
    ['nothing', new Uint8Array(), 'ends early'],
    ['an empty SEQUENCE', Buffer.from('3000', 'hex'), 'not a certificate'],
    ['a SEQUENCE of three nothings', Buffer.from('3009300030000303000000', 'hex'), 'not'],
  ])('%s', (_, bytes, reason) => {
    const parse = () => parseClientCertificate(bytes);
    expect(parse).toThrow(CertificateError);
    expect(parse).toThrow(reason);
  });

  test.each([
    ['dnsName', 0x82, Buffer.from('victim\0.example')],
    ['rfc822Name', 0x81, Buffer.from('victim@example\0')],
    ['uniformResourceIdentifier', 0x86, Buffer.from('spiffe://victim\u00e9')],
    ['iPAddress of five octets', 0x87, Buffer.from([1, 2, 3, 4, 5])],
  ])('a subject alternative name that is malformed: %s', (_, tag, content) => {
    const name = Buffer.concat([Buffer.from([tag, content.length]), content]);
    const value = Buffer.concat([Buffer.from([0x30, name.length]), name]);
    const certificate = authority.issue({ extraExtensions: [{ oid: '2.5.29.17', value }] });
    expect(() => parseClientCertificate(certificate.der)).toThrow(CertificateError);
  });
});

describe('validity', () => {
  const notBefore = new Date('2026-01-01T00:00:00Z');
  const notAfter = new Date('2026-01-31T23:59:59Z');
  const certificate = parseClientCertificate(authority.issue({ notBefore, notAfter }).der);
  const at = (instant: string) => () => requireValidAt(certificate, Date.parse(instant));

  test('both ends count, to their last millisecond', () => {
    expect(at('2026-01-01T00:00:00Z')).not.toThrow();
    expect(at('2026-01-31T23:59:59.999Z')).not.toThrow();
    expect(at('2025-12-31T23:59:59.999Z')).toThrow('not valid before 2026-01-01');
    expect(at('2026-02-01T00:00:00Z')).toThrow('expired at 2026-01-31');
  });
});
