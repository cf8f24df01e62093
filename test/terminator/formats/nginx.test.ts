import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { createCertificateReader } from '../../../src/terminator/certificate-reader.ts';
import { nginx } from '../../../src/terminator/formats/nginx.ts';
import { selfSigned, toPem } from '../../support/certificates.ts';

const { der, pem } = selfSigned();
const other = selfSigned();
const escaped = encodeURIComponent(pem);
const base64 = Buffer.from(der).toString('base64');
const read = createCertificateReader('nginx');

describe('nginx: the escaped PEM', () => {
  test('is decoded', () => {
    expect(Buffer.from(nginx.decode(escaped).leaf)).toEqual(Buffer.from(der));
    expect(Buffer.from(nginx.decode(escaped.replace(/%0A$/, '')).leaf)).toEqual(Buffer.from(der));
  });

  test.each([
    ['not escaped at all', pem],
    ['a bare +', escaped.replace('%2B', '+').replace('%2F', '+')],
    ['a bare space', escaped.replaceAll('%20', ' ')],
    ['a + for a space', escaped.replaceAll('%20', '+')],
    ['a percent sign alone', escaped.replace('%0A', '%')],
    ['a percent sign with one digit', escaped.replace('%0A', '%0')],
    ['invalid percent-encoding', escaped.replace('%0A', '%zz')],
    ['percent-encoding that is not UTF-8', escaped.replace('%0A', '%FF')],
    ['escaped twice', encodeURIComponent(escaped)],
    ['two blocks', escaped + escaped],
    ['two certificates', escaped + encodeURIComponent(other.pem)],
    ['two values joined by a comma', `${escaped}, ${escaped}`],
    ['junk before it', `x${escaped}`],
    ['junk after it', `${escaped}x`],
    ['a line feed before it', `%0A${escaped}`],
    ['a NUL after it', `${escaped}%00`],
    ['CRLF', encodeURIComponent(pem.replaceAll('\n', '\r\n'))],
    ['the TRUSTED label', encodeURIComponent(pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'))],
    ['the base64 of the DER', base64],
    ["RFC 9440's form", `:${base64}:`],
    ["Traefik's form", encodeURIComponent(base64)],
    ['trailing bytes after the DER', encodeURIComponent(toPem(Buffer.concat([der, Buffer.of(0)])))],
    ['two certificates in one block', encodeURIComponent(toPem(Buffer.concat([der, other.der])))],
  ])('is rejected: %s', (_, value) => {
    expect(() => read({ encoded: value, encodedChain: undefined })).toThrow(CertificateError);
  });
});
