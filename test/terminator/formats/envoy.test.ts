import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { createCertificateReader } from '../../../src/terminator/certificate-reader.ts';
import { envoy } from '../../../src/terminator/formats/envoy.ts';
import { createTestCa, type MintedCertificate } from '../../support/certificates.ts';

const ca = createTestCa();
const client = ca.issue();
const victim = ca.issue();
const read = createCertificateReader('envoy');

/** The structure of what Envoy 1.40 sent, filled in with certificates of this run. No base64 spells `<PEM>`. */
function seen(text: string, { der, pem }: MintedCertificate = client): string {
  return text
    .replaceAll('<HASH>', createHash('sha256').update(der).digest('hex'))
    .replaceAll('<CHAIN>', encodeURIComponent(pem + ca.pem))
    .replaceAll('<PEM>', encodeURIComponent(pem));
}

const forged = seen('Hash=<HASH>;Cert="<PEM>"', victim);

describe('envoy: what Envoy 1.40 sends', () => {
  test.each([
    ['cert alone', 'Hash=<HASH>;Cert="<PEM>"'],
    ['the proxy has two names', 'By=spiffe://proxy/a;By=spiffe://proxy/b;Hash=<HASH>;Cert="<PEM>"'],
    [
      'a DN with quotes, and a backslash at its end',
      'Hash=<HASH>;Cert="<PEM>";Subject="CN=back\\\\,O=Comp\\, \\"Inc\\""',
    ],
    ['a DN of a quote', 'Hash=<HASH>;Cert="<PEM>";Subject="CN=\\"";URI='],
    ['a DN with CR and LF', 'Hash=<HASH>;Cert="<PEM>";Subject="CN=a\\0D\\0Ab"'],
    ['an attribute without a name', 'Hash=<HASH>;Cert="<PEM>";Subject="1.2.3.4=#0C036F6464,CN=x"'],
    ['a multi-valued RDN', 'Hash=<HASH>;Cert="<PEM>";Subject="UID=u+OU=A,serialNumber=1+CN=x"'],
    ['no subject and no name', 'Hash=<HASH>;Cert="<PEM>";Subject="";URI='],
    ['empty names', 'Hash=<HASH>;Cert="<PEM>";URI=;DNS='],
    ['a name that is not ASCII', 'Hash=<HASH>;Cert="<PEM>";URI=x\u00ff\u00c3\u00bcy'],
    [
      'every detail',
      'By=spiffe://proxy/a;Hash=<HASH>;Cert="<PEM>";Chain="<CHAIN>";Subject="CN=client";URI=spiffe://x/a;URI=spiffe://x/b;' +
        'DNS=a.example;DNS=b.example;Issuer="CN=Test CA"',
    ],
  ])('%s', (_, text) => {
    const { certificate, chain } = read({ encoded: seen(text), encodedChain: undefined });
    expect(certificate.thumbprint).toBe(client.thumbprint);
    expect(chain).toHaveLength(text.includes('<CHAIN>') ? 1 : 0);
  });

  test.each([
    [
      'without cert',
      'By=spiffe://proxy/a;Hash=<HASH>',
      'turn it on with set_current_client_cert_details: { cert: true }',
    ],
    ['without cert, with names', 'Hash=<HASH>;Subject="CN=client";URI=spiffe://x/a', '{ cert: true }'],
    [
      'after what a client sent',
      `${forged},Hash=<HASH>;Cert="<PEM>"`,
      'set forward_client_cert_details to SANITIZE_SET',
    ],
    ['after what a client left open', `${forged};Subject=",Hash=<HASH>;URI="`, 'an unescaped semicolon between quotes'],
    ['of a name with an element in it', `Hash=<HASH>;Cert="<PEM>";URI=x,${forged};Issuer="CN=x"`, 'remove uri and dns'],
    ['of a name with a Cert in it', `Hash=<HASH>;URI=x;${forged.slice(forged.indexOf('Cert'))}`, 'Cert follows URI'],
    [
      'of a name with a quote in it',
      'Hash=<HASH>;Cert="<PEM>";URI=x";Cert="V";Issuer="CN=x"',
      'a quote inside an unquoted value',
    ],
    ['with format: JSON', '[{"by":["spiffe://proxy/a"],"hash":"<HASH>","cert":"<PEM>"}]', 'remove format: JSON'],
    ['to what began as JSON', '{"a":1},Hash=<HASH>;Cert="<PEM>"', 'the JSON form'],
  ])('is rejected %s', (_, text, reason) => {
    expect(() => envoy.decode(seen(text))).toThrow(CertificateError);
    expect(() => envoy.decode(seen(text))).toThrow(reason);
  });
});

test('envoy reports nothing about the chain', () => {
  expect(envoy).toMatchObject({ certificateHeader: 'x-forwarded-client-cert', verification: [], absentValues: [] });
});
