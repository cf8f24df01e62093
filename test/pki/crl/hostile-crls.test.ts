import type { KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseCaCertificate } from '../../../src/pki/certificate/ca-certificate.ts';
import { CrlStore } from '../../../src/pki/crl/crl-store.ts';
import { createTrustStore } from '../../../src/pki/path/trust-store.ts';
import { createTestCa } from '../../support/certificates.ts';
import { type CrlOptions, createCrl, crlNumber, entry } from '../../support/crls.ts';
import { bitString, childrenOf, der, integer, objectIdentifier, sequence, time } from '../../support/der.ts';
import { signatureAlgorithm, signatureOver } from '../../support/keys.ts';

const [ca, impostor] = [createTestCa({ subject: [['CN', 'CA']] }), createTestCa({ subject: [['CN', 'CA']] })];
const trust = createTrustStore([parseCaCertificate(ca.der)]);

async function problemWith(crl: Uint8Array): Promise<string> {
  const store = new CrlStore({ currentTrust: () => trust, now: Date.now });
  return store.load('hostile.crl', [crl]).then(
    () => 'none',
    (error: Error) => error.message,
  );
}

/** What takes long to parse, or is malformed. */
const contents: readonly [string, CrlOptions][] = [
  ['a malformed entry', { entries: [integer(1n)] }],
  ['an entry that is not DER', { entries: [Buffer.of(0x30, 0x80)] }],
  ['an unknown critical extension', { extensions: [{ oid: '1.2.3', critical: true, value: integer(1n) }] }],
  ['an extension twice', { extensions: [crlNumber(1n), crlNumber(1n)] }],
  ['a date that does not exist', { rawThisUpdate: der(0x17, Buffer.from('261332000000Z')) }],
  ['an issuing distribution point of another type', { extensions: [{ oid: '2.5.29.28', value: integer(1n) }] }],
];

describe('a CRL that a server without the key of the CA invents', () => {
  test.each(contents)('is rejected before %s in it is interpreted', async (_, options) => {
    expect(await problemWith(createCrl(impostor, options))).toBe('is not signed by the key of CA "CN=CA"');
    expect(await problemWith(createCrl(ca, options))).not.toMatch(/none|is not signed/);
  });

  test('is rejected for its first superfluous field if it has a million', async () => {
    const [tbs, ...rest] = childrenOf(createCrl(impostor));
    const fields = tbs ? childrenOf(tbs) : [];
    const crl = sequence(sequence(...fields, Buffer.alloc(2_000_000, Buffer.of(0x05, 0x00))), ...rest);
    const start = process.threadCpuUsage();
    expect(await problemWith(crl)).toContain('its TBSCertList does not match RFC 5280 §5.1.2');
    expect(process.threadCpuUsage(start).user).toBeLessThan(100_000);
  });

  test.each([
    ['issuer', (value: Buffer) => [sequence(objectIdentifier('1.2.3')), sequence(value)]],
    ['algorithm', (value: Buffer) => [sequence(value), ca.subject]],
  ])('is rejected for an %s of a megabyte', async (_, fieldsOf) => {
    const fields = fieldsOf(Buffer.alloc(1_000_000, Buffer.of(0x05, 0x00)));
    const tbs = sequence(...fields, time(new Date()), time(new Date()), sequence(entry(integer(1n))));
    const crl = sequence(tbs, sequence(objectIdentifier('1.2.3')), bitString(Buffer.alloc(64)));
    expect(await problemWith(crl)).toMatch(/has an issuer, algorithm or signature of \d+ bytes; at most 65536/);
  });
});

test('a CRL that names the signature algorithm of another type of key is rejected', async () => {
  const rsaCa = createTestCa({ subject: [['CN', 'RSA']], keyType: 'rsa-2048' });
  const store = new CrlStore({ currentTrust: () => createTrustStore([parseCaCertificate(rsaCa.der)]), now: Date.now });
  const [tbs = Buffer.of()] = childrenOf(createCrl(rsaCa));
  const withAlgorithmOf = (key: KeyObject) => {
    const algorithm = signatureAlgorithm(key, 'SHA-256');
    const signed = sequence(...childrenOf(tbs).with(1, algorithm));
    return sequence(signed, algorithm, bitString(signatureOver(signed, rsaCa.keys.privateKey, 'SHA-256')));
  };
  await expect(store.load('rsa.crl', [withAlgorithmOf(rsaCa.keys.privateKey)])).resolves.toHaveLength(1);
  const misnamed = store.load('ec.crl', [withAlgorithmOf(ca.keys.privateKey)]);
  await expect(misnamed).rejects.toThrow('is not signed by the key of CA "CN=RSA"');
});
