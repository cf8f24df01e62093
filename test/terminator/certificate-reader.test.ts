import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../src/pki/certificate/certificate-error.ts';
import { createCertificateReader } from '../../src/terminator/certificate-reader.ts';
import { type HeaderFormatName, headerFormatNames } from '../../src/terminator/formats.ts';
import { ForwardingError } from '../../src/terminator/forwarding-error.ts';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { hugeCertificate } from '../support/der-surgery.ts';

const { der, pem } = selfSigned();
const other = selfSigned();
const escaped = encodeURIComponent(pem);
const base64 = Buffer.from(der).toString('base64');

function readerOf(name: HeaderFormatName) {
  const read = createCertificateReader(name);
  return (encoded: string) => read({ encoded, encodedChain: undefined }).certificate;
}

describe('the certificate reader', () => {
  test('caches a parsed certificate by its header', () => {
    const read = readerOf('nginx');
    const first = read(escaped);
    expect(read(escaped)).toBe(first);
    expect(read(encodeURIComponent(other.pem)).thumbprint).toBe(other.thumbprint);
    expect(read(escaped).thumbprint).toBe(first.thumbprint);
  });

  test('never returns the chain of an earlier request', () => {
    const read = createCertificateReader('rfc9440');
    const byteSequence = (bytes: Uint8Array) => `:${Buffer.from(bytes).toString('base64')}:`;
    const chainOf = (...sent: Uint8Array[]) => {
      const encodedChain = sent.length > 0 ? sent.map(byteSequence).join(', ') : undefined;
      return read({ encoded: byteSequence(der), encodedChain }).chain.map((one) => Buffer.from(one));
    };
    const [first, second] = [createTestCa(), createTestCa()].map(({ der }) => Buffer.from(der));
    if (!first || !second) throw new Error('there are two');
    for (const sent of [[first], [second], [], [first, second], [first]]) expect(chainOf(...sent)).toEqual(sent);
  });

  test('retains no memory beyond its cache', () => {
    const read = readerOf('nginx');
    const large = encodeURIComponent(hugeCertificate(createTestCa(), 14_000, { ca: true }).pem);
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const count = 400;
    for (let index = 0; index < count; index++) {
      read(encodeURIComponent(selfSigned().pem));
      for (let between = 0; between < 3; between++) expect(() => read(large)).toThrow(CertificateError);
    }
    collectGarbage();
    // A view into Node's pool would keep 64 KiB alive for each.
    expect((process.memoryUsage().arrayBuffers - before) / count).toBeLessThan(32 * 1024);
  });

  test.each([...headerFormatNames])('recognizes a value in hex instead of %s', (name) => {
    const digest = (algorithm: string) => createHash(algorithm).update(der).digest('hex');
    for (const fingerprint of [digest('sha1'), digest('sha256'), digest('sha256').toUpperCase()]) {
      expect(() => readerOf(name)(fingerprint)).toThrow(/^this is a fingerprint, not a certificate \(nginx: /);
    }
    expect(() => readerOf(name)(Buffer.from(der).toString('hex'))).toThrow(/^this is the DER in hex \(HAProxy: /);
  });

  test('recognizes base64 only if it starts like a certificate', () => {
    const reading = (encoded: string) => () => readerOf('nginx')(encoded);
    expect(reading(base64)).toThrow(/this looks like haproxy's encoding/);
    for (const text of ['aGVsbG8h', 'unknown+', Buffer.from(randomBytes(300)).fill(0x11, 0, 1).toString('base64')]) {
      expect(reading(text)).toThrow(/^(?!.*this looks like)/);
    }
  });

  test('distinguishes a certificate that is too large from a malformed one', () => {
    const huge = hugeCertificate(createTestCa(), 17_000);
    expect(() => readerOf('nginx')(encodeURIComponent(huge.pem))).toThrow(ForwardingError);
  });

  test.each(['nginx', 'rfc9440'] as const)(
    'returns a certificate or throws an expected error for any value in %s',
    (name) => {
      const read = readerOf(name);
      const genuine = name === 'nginx' ? escaped : `:${base64}:`;
      const edited = fc
        .tuple(fc.nat(genuine.length), fc.nat(20), fc.string({ maxLength: 6 }))
        .map(([at, cut, junk]) => genuine.slice(0, at) + junk + genuine.slice(at + cut));
      fc.assert(
        fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), edited), (value) => {
          try {
            // Only the genuine header may result in the genuine certificate.
            if (read(value).thumbprint === read(genuine).thumbprint)
              expect(value.replace(/%0A$/, '')).toBe(genuine.replace(/%0A$/, ''));
          } catch (error) {
            expect(error instanceof CertificateError || error instanceof ForwardingError).toBe(true);
          }
        }),
        { numRuns: 1000 },
      );
    },
  );
});
