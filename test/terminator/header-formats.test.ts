import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../src/certificate/certificate-error.ts';
import { createCertificateReader } from '../../src/terminator/certificate-reader.ts';
import { ForwardingError } from '../../src/terminator/forwarding-error.ts';
import { headerFormats } from '../../src/terminator/header-formats.ts';
import { createCertificateAuthority, selfSigned, toPem } from '../support/certificates.ts';
import { hugeCertificate } from '../support/der-surgery.ts';

const { nginx, rfc9440 } = headerFormats;
const { der, pem } = selfSigned();
const other = selfSigned();
const escaped = encodeURIComponent(pem);
const base64 = Buffer.from(der).toString('base64');

const refuses = (format: keyof typeof headerFormats, value: string) => {
  expect(() => createCertificateReader(headerFormats[format])(value)).toThrow(CertificateError);
};

describe('nginx: the escaped PEM', () => {
  test('is decoded', () => {
    expect(Buffer.from(nginx.decode(escaped))).toEqual(Buffer.from(der));
    expect(Buffer.from(nginx.decode(escaped.replace(/%0A$/, '')))).toEqual(Buffer.from(der));
  });

  test.each([
    ['not escaped at all', pem],
    ['a bare +', escaped.replace('%2B', '+').replace('%2F', '+')],
    ['a bare space', escaped.replaceAll('%20', ' ')],
    ['a + for a space', escaped.replaceAll('%20', '+')],
    ['a percent sign alone', escaped.replace('%0A', '%')],
    ['a percent sign with one digit', escaped.replace('%0A', '%0')],
    ['percent-encoding that is no octet', escaped.replace('%0A', '%zz')],
    ['percent-encoding that is not UTF-8', escaped.replace('%0A', '%FF')],
    ['escaped twice', encodeURIComponent(escaped)],
    ['two blocks', escaped + escaped],
    ['two certificates', escaped + encodeURIComponent(other.pem)],
    ['two values joined by a comma', `${escaped}, ${escaped}`],
    ['junk before it', `x${escaped}`],
    ['junk behind it', `${escaped}x`],
    ['a line feed before it', `%0A${escaped}`],
    ['a NUL behind it', `${escaped}%00`],
    ['CRLF', encodeURIComponent(pem.replaceAll('\n', '\r\n'))],
    ['the TRUSTED label', encodeURIComponent(pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'))],
    ['the base64 of the DER', base64],
    ["RFC 9440's form", `:${base64}:`],
    ["Traefik's form", encodeURIComponent(base64)],
    ['trailing octets after the DER', encodeURIComponent(toPem(Buffer.concat([der, Buffer.of(0)])))],
    ['two certificates in one block', encodeURIComponent(toPem(Buffer.concat([der, other.der])))],
  ])('is refused: %s', (_, value) => refuses('nginx', value));
});

describe('RFC 9440: the Byte Sequence', () => {
  test('is decoded', () => {
    expect(Buffer.from(rfc9440.decode(`:${base64}:`))).toEqual(Buffer.from(der));
  });

  test.each([
    ['without colons', base64],
    ['without the last colon', `:${base64}`],
    ['without the first colon', `${base64}:`],
    ['one colon', ':'],
    ['three colons', ':::'],
    ['two items', `:${base64}:, :${base64}:`],
    ['a parameter', `:${base64}:;a=1`],
    ['a space within', `:${base64.slice(0, 8)} ${base64.slice(8)}:`],
    ['a space before', ` :${base64}:`],
    ['base64url', `:${Buffer.from(der).toString('base64url')}-:`],
    ['padding left out, or too much', `:${base64.endsWith('=') ? base64.replace(/=+$/, '') : `${base64}=`}:`],
    ['a string', `"${base64}"`],
    ['the PEM', `:${Buffer.from(pem).toString('base64')}:`],
    ['trailing octets', `:${Buffer.concat([der, Buffer.of(0)]).toString('base64')}:`],
    ['two certificates', `:${Buffer.concat([der, other.der]).toString('base64')}:`],
  ])('is refused: %s', (_, value) => refuses('rfc9440', value));
});

describe('the reader of certificates', () => {
  test('parses a certificate once, and knows it again by its header', () => {
    const read = createCertificateReader(nginx);
    const first = read(escaped);
    expect(read(escaped)).toBe(first);
    expect(read(encodeURIComponent(other.pem)).thumbprint).toBe(other.thumbprint);
    expect(read(escaped).thumbprint).toBe(first.thumbprint);
  });

  test('holds no more memory than it remembers', () => {
    const read = createCertificateReader(nginx);
    const large = encodeURIComponent(hugeCertificate(createCertificateAuthority(), 14_000, { ca: true }).pem);
    const before = process.memoryUsage().arrayBuffers;
    const count = 400;
    for (let index = 0; index < count; index++) {
      read(encodeURIComponent(selfSigned().pem));
      for (let between = 0; between < 3; between++) expect(() => read(large)).toThrow(CertificateError);
    }
    // A view into Node's pool would keep 64 KiB alive for each.
    expect((process.memoryUsage().arrayBuffers - before) / count).toBeLessThan(32 * 1024);
  });

  test('tells a certificate that is too large from one that is malformed', () => {
    const huge = hugeCertificate(createCertificateAuthority(), 17_000);
    expect(() => createCertificateReader(nginx)(encodeURIComponent(huge.pem))).toThrow(ForwardingError);
  });

  test.each(['nginx', 'rfc9440'] as const)('%s: any value ends in a certificate or a refusal', (name) => {
    const read = createCertificateReader(headerFormats[name]);
    const genuine = name === 'nginx' ? escaped : `:${base64}:`;
    const edited = fc
      .tuple(fc.nat(genuine.length), fc.nat(20), fc.string({ maxLength: 6 }))
      .map(([at, cut, junk]) => genuine.slice(0, at) + junk + genuine.slice(at + cut));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), edited), (value) => {
        try {
          // Only the very header may give the very certificate.
          if (read(value).thumbprint === read(genuine).thumbprint)
            expect(value.replace(/%0A$/, '')).toBe(genuine.replace(/%0A$/, ''));
        } catch (error) {
          expect(error instanceof CertificateError || error instanceof ForwardingError).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
