import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseClientCertificate } from '../../../src/pki/certificate/client-certificate.ts';
import { apache } from '../../../src/terminator/formats/apache.ts';
import { selfSigned, toPem } from '../../support/certificates.ts';

const { der, pem, thumbprint } = selfSigned();
const spaced = (text: string) => text.replaceAll('\n', ' ').trimEnd();
const escaped = (text: string) => text.replaceAll(' ', '%20').replaceAll('\n', '%0a');
const read = (value: string) => parseClientCertificate(apache.decode(value).leaf);

describe('Apache', () => {
  test.each([
    ['with spaces for the line feeds', spaced(pem)],
    ['with a final space', `${spaced(pem)} `],
    ['escaped', escaped(pem)],
    ['escaped, without the last line feed', escaped(pem.trimEnd())],
  ])('the PEM: %s', (_, value) => {
    expect(read(value).thumbprint).toBe(thumbprint);
    expect(apache.decode(value).chain).toEqual([]);
  });

  test.each([
    ['with its line feeds', pem],
    ['with tabs behind them', pem.trimEnd().replaceAll('\n', '\n\t')],
    ['two blocks', spaced(pem + pem)],
    ['two blocks, escaped', escaped(pem + pem)],
    ['two values joined by a comma', `${spaced(pem)}, ${spaced(pem)}`],
    ['bytes after the DER', spaced(toPem(Buffer.concat([der, Buffer.of(0)])))],
    ['nothing between the armor lines', '-----BEGIN CERTIFICATE----- -----END CERTIFICATE-----'],
    ['another label', spaced(toPem(der, 'TRUSTED CERTIFICATE'))],
    ['another label, escaped', escaped(toPem(der, 'X509 CERTIFICATE'))],
    ['as nginx escapes it', encodeURIComponent(pem)],
    ['escaped with upper-case digits', escaped(pem).replaceAll('%0a', '%0A')],
    ['escaped with bare spaces', escaped(pem).replaceAll('%20', ' ')],
    ['escaped with + for spaces', escaped(pem).replaceAll('%20', '+')],
    ['escaped with bare line feeds', escaped(pem).replaceAll('%0a', '\n')],
    ['a percent sign in the spaced one', `${spaced(pem)} %`],
    ['the base64 of the PEM', Buffer.from(pem).toString('base64')],
    ['the base64 of the DER', Buffer.from(der).toString('base64')],
    ["RFC 9440's form", `:${Buffer.from(der).toString('base64')}:`],
    ['another empty variable', '(null) '],
  ])('is rejected: %s', (_, value) => {
    expect(() => read(value)).toThrow(CertificateError);
  });
});
