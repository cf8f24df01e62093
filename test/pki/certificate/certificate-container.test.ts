import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { FileContentError } from '../../../src/files/file-content-error.ts';
import { parseCertificateContainer } from '../../../src/pki/certificate/certificate-container.ts';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { createTestCa } from '../../support/certificates.ts';
import { octetString } from '../../support/der.ts';
import { openssl } from '../../support/openssl.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const folder = temporaryDirectory();
const path = (name: string) => join(folder, name);
const root = createTestCa({ subject: [['CN', 'Root']] });
const issuing = root.issueIntermediate({ subject: [['CN', 'Issuing']] });
const client = issuing.issue({ subject: [['CN', 'client']] });
const password = 'pässwörd €';

/** The first certificate is that of the client, and the others are those of the file. */
const expectChain = (content: Uint8Array, given: string) => {
  const { certificates, privateKeys } = parseCertificateContainer(content, given);
  const [first, ...others] = certificates.map((der) => Buffer.from(der));
  expect(first).toEqual(Buffer.from(client.der));
  expect(others.map((der) => new X509Certificate(der).subject).sort()).toEqual(['CN=Issuing', 'CN=Root']);
  return privateKeys;
};

/** Made by the real OpenSSL. The CAs come first in the file. */
const createPkcs12 = async (name: string, ...options: string[]) => {
  writeFileSync(path('client.pem'), client.pem);
  writeFileSync(path('client-key.pem'), client.privateKeyPem);
  writeFileSync(path('cas.pem'), root.pem + issuing.pem);
  const input = ['-in', path('client.pem'), '-inkey', path('client-key.pem'), '-certfile', path('cas.pem')];
  await openssl(['pkcs12', '-export', ...input, '-out', path(name), ...options]);
  return readFileSync(path(name));
};

describe('PKCS #12 is read', () => {
  test.each([
    ['as OpenSSL 3 writes it', []],
    ['with triple DES', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-2DES', '-macalg', 'sha1']],
    [
      'with other sizes of keys and digests',
      ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-192-CBC', '-macalg', 'sha512'],
    ],
    ['without a message authentication code', ['-nomac']],
    ['without encryption', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
  ])('%s', async (_, options) => {
    const content = await createPkcs12('client.p12', '-passout', `pass:${password}`, ...options);
    const [key] = expectChain(content, password);
    expect(key?.equals(client.keys.privateKey)).toBe(true);
    expect(() => parseCertificateContainer(content, 'another')).toThrow('is protected by another password');
    expect(() => parseCertificateContainer(content, '')).toThrow('pass --password-file FILE');
  });

  test('with the empty password', async () => {
    expect(expectChain(await createPkcs12('empty.p12', '-passout', 'pass:'), '')).toHaveLength(1);
  });

  test('in BER with indefinite lengths', async () => {
    const content = await createPkcs12('ber.p12', '-passout', 'pass:a', '-keypbe', 'NONE', '-certpbe', 'NONE');
    expect(expectChain(toIndefinite(content), 'a')).toHaveLength(1);
  });

  test('without a private key, in the order of the file', async () => {
    const input = ['-in', path('client.pem'), '-nokeys', '-certfile', path('cas.pem')];
    await openssl(['pkcs12', '-export', ...input, '-out', path('nokeys.p12'), '-passout', 'pass:a']);
    expect(expectChain(readFileSync(path('nokeys.p12')), 'a')).toEqual([]);
  });
});

describe('PKCS #12 is rejected with the fix', () => {
  test('if it is encrypted with RC2, as older programs do', async () => {
    const content = await createPkcs12('rc2.p12', '-passout', 'pass:a', '-legacy');
    expect(() => parseCertificateContainer(content, 'a')).toThrow(
      'is encrypted with RC2 with 40 bits, which is not supported: convert it with openssl pkcs12 -in FILE -legacy -noenc -out client.pem',
    );
  });

  test('if it requires too many iterations, within a moment', async () => {
    const content = await createPkcs12('slow.p12', '-passout', 'pass:a', '-iter', '9999', '-keypbe', 'NONE');
    const iterations = content.lastIndexOf(Buffer.from('0202270f', 'hex'));
    const slower = Buffer.concat([content.subarray(0, iterations), Buffer.from('02047fffffff', 'hex')]);
    expect(() => parseCertificateContainer(growBy(slower, 2), 'a')).toThrow('2,000,000 iterations');
  });

  test('if it is cut off', async () => {
    const content = await createPkcs12('cut.p12', '-passout', 'pass:a');
    expect(() => parseCertificateContainer(content.subarray(0, -20), 'a')).toThrow(/cut off/);
  });
});

/** Adds to the lengths of the file and of its MacData, which is its last element. */
function growBy(content: Buffer, bytes: number): Buffer {
  const grown = Buffer.from(content);
  grown.writeUInt16BE(grown.readUInt16BE(2) + bytes, 2);
  const macData = grown.lastIndexOf(Buffer.from('3041', 'hex'));
  grown[macData + 1] = 0x41 + bytes;
  return grown;
}

/** Writes each constructed element without its length (X.690 §8.1.3.6), and each OCTET STRING in two parts (§8.7.3). */
function toIndefinite(content: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const { tag = 0, value, end } = elementAt(content, at);
    const constructed = tag === 0x04 ? splitOctets(value) : (tag & 0x20) === 0 ? undefined : toIndefinite(value);
    parts.push(constructed ? indefinite(tag, constructed) : content.subarray(at, end));
    at = end;
  }
  return Buffer.concat(parts);
}

const indefinite = (tag: number, value: Buffer) => Buffer.concat([Buffer.of(tag | 0x20, 0x80), value, Buffer.of(0, 0)]);
const splitOctets = (value: Buffer) =>
  Buffer.concat([octetString(value.subarray(0, 1)), octetString(value.subarray(1))]);

function elementAt(content: Buffer, at: number) {
  const [tag, first = 0] = content.subarray(at);
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = at + 2 + lengthBytes;
  const end = start + (lengthBytes === 0 ? first : content.readUIntBE(at + 2, lengthBytes));
  return { tag, value: content.subarray(start, end), end };
}

describe('PKCS #7 is read', () => {
  beforeAll(() => {
    for (const [name, { pem }] of Object.entries({ root, issuing, client })) writeFileSync(path(`${name}.pem`), pem);
  });
  const files = ['root', 'issuing', 'client'].flatMap((name) => ['-certfile', path(`${name}.pem`)]);

  test.each(['DER', 'PEM'])('in %s, and the certificate that issued no other is the first', async (form) => {
    await openssl(['crl2pkcs7', '-nocrl', ...files, '-outform', form, '-out', path('chain.p7b')]);
    expect(expectChain(readFileSync(path('chain.p7b')), '')).toEqual([]);
  });

  test('only if it contains certificates', async () => {
    await openssl(['crl2pkcs7', '-nocrl', '-out', path('empty.p7b')]);
    expect(() => parseCertificateContainer(readFileSync(path('empty.p7b')), '')).toThrow('without certificates');
  });
});

test('a damaged container is rejected, and nothing else happens', async () => {
  const pkcs12 = await createPkcs12('plain.p12', '-passout', 'pass:', '-nomac', '-keypbe', 'NONE', '-certpbe', 'NONE');
  await openssl(['crl2pkcs7', '-nocrl', '-certfile', path('cas.pem'), '-outform', 'DER', '-out', path('fuzz.p7b')]);
  const byte = fc.tuple(fc.nat(), fc.nat(255));
  const damage = fc.record({ content: fc.constantFrom(pkcs12, readFileSync(path('fuzz.p7b'))), bytes: fc.array(byte) });
  fc.assert(
    fc.property(damage, ({ content, bytes }) => {
      const damaged = Buffer.from(content);
      for (const [at, value] of bytes) damaged[at % damaged.length] = value;
      try {
        parseCertificateContainer(damaged, '');
      } catch (error) {
        if (!(error instanceof FileContentError || error instanceof CertificateError)) throw error;
      }
    }),
  );
});
