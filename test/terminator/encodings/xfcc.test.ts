import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { decodeXfcc } from '../../../src/terminator/encodings/xfcc.ts';
import { createTestCa, selfSigned, toPem } from '../../support/certificates.ts';

const fixes = { certificateMissing: 'TURN CERT ON', secondElement: 'OVERWRITE' };
const decode = (value: string) => decodeXfcc(value, fixes);

const hashOf = (der: Uint8Array) => createHash('sha256').update(der).digest('hex');
const escaped = (...pems: readonly string[]) => encodeURIComponent(pems.join(''));

const root = createTestCa();
const intermediate = root.issueIntermediate();
const client = intermediate.issue();
const other = selfSigned();

const hash = `Hash=${hashOf(client.der)}`;
const cert = `Cert="${escaped(client.pem)}"`;
const usual = `${hash};${cert}`;
const another = `Hash=${hashOf(other.der)};Cert="${escaped(other.pem)}"`;
const chain = (...pems: readonly string[]) => `Chain="${escaped(...pems)}"`;

describe('the certificate of a single element', () => {
  test.each([
    ['Hash and Cert', usual],
    ["the proxy's own names", `By=spiffe://proxy/a;By=spiffe://proxy/b;${usual}`],
    ['keys in any case', usual.replace('Hash', 'hASH').replace('Cert', 'CERT')],
    ['a PEM without its last line feed', usual.replace('%0A"', '"')],
    ['Subject', `${usual};Subject="CN=client"`],
    ['an empty Subject and URI', `${usual};Subject="";URI=`],
    ['a DN that needs escapes', `${usual};Subject="CN=back\\\\,O=Comp\\, \\"Inc\\"\\; \\+ \\<x\\>=y,C=GB"`],
    ['a DN that ends in a quote', `${usual};Subject="CN=\\"";URI=`],
    ['a DN in UTF-8, with a space at its end', `${usual};Subject="CN=\\#x\\ ,O=M\\C3\\BCller"`],
    ['names', `${usual};URI=spiffe://x/a;URI=spiffe://x/b;DNS=a.example;DNS=b.example`],
    ['names that imitate other pairs', `${usual};URI=x;URI=Hash=1;DNS=Cert=2`],
    ['names and Issuer', `${usual};DNS=a.example;Issuer="CN=Test CA"`],
    ['1,500 names', `${usual}${';DNS=a.example'.repeat(1_500)}`],
    ['every detail', `By=x;${usual};${chain(client.pem)};Subject="CN=client";URI=y;DNS=z;Issuer="CN=Test CA"`],
  ])('is decoded with %s', (_, value) => {
    const { leaf, chain } = decode(value);
    expect(Buffer.from(leaf)).toEqual(Buffer.from(client.der));
    expect(chain).toEqual([]);
  });

  test('is decoded with the chain that the client presented', () => {
    const { leaf, chain: rest } = decode(
      `${usual};${chain(client.pem, intermediate.pem, root.pem)};Subject="CN=client"`,
    );
    expect(Buffer.from(leaf)).toEqual(Buffer.from(client.der));
    expect(rest.map((der) => Buffer.from(der))).toEqual([intermediate, root].map(({ der }) => Buffer.from(der)));
  });
});

const pems = (count: number) => Array.from({ length: count }, () => root.pem);

describe('any other x-forwarded-client-cert is rejected', () => {
  test.each([
    ['another element', `${usual},${another}`, 'more than one element: OVERWRITE'],
    ['the same element again', `${usual},${usual}`, 'more than one element: OVERWRITE'],
    ['an element without a certificate before it', `By=x;Hash=00,${usual}`, 'more than one element'],
    ['an empty element after it', `${usual},`, 'more than one element'],
    ['no Cert', `By=x;${hash};Subject="";URI=x`, 'no Cert: TURN CERT ON'],
    ['no Cert but a Chain', `${hash};${chain(client.pem)}`, 'no Cert: TURN CERT ON'],
    ['an empty Cert', `${hash};Cert=""`, 'not a PEM'],
    ['no Hash', cert, 'no Hash'],
    ['a Hash in upper case', usual.replace(/Hash=\w+/, (pair) => pair.toUpperCase()), 'Hash is not the SHA-256'],
    ['an empty Hash', `Hash=;${cert}`, 'Hash is not the SHA-256'],
    ["another certificate's Hash", `Hash=${hashOf(other.der)};${cert}`, 'they are of different certificates'],
    ['a Hash of the PEM', `Hash=${hashOf(Buffer.from(client.pem))};${cert}`, 'Hash is not the SHA-256'],
    ['a second Hash', `${hash};${hash};${cert}`, 'Hash is repeated'],
    ['a second Hash in another case', `${hash};${hash.replace('Hash', 'HASH')};${cert}`, 'Hash is repeated'],
    ['a second Cert', `${usual};${cert}`, 'Cert is repeated'],
    ['a second Cert of another client', `${usual};Cert="${escaped(other.pem)}"`, 'Cert is repeated'],
    ['a second Subject', `${usual};Subject="";Subject=""`, 'Subject is repeated'],
    ['a second Chain', `${usual};${chain(client.pem)};${chain(client.pem)}`, 'Chain is repeated'],
    ['a second Issuer', `${usual};Issuer="";Issuer=""`, 'Issuer is repeated'],
    ['Cert before Hash', `${cert};${hash}`, 'Hash follows Cert'],
    ['By after Hash', `${usual};By=x`, 'By follows Cert'],
    ['Subject before Cert, as Envoy 1.6 has it', `${hash};Subject="";${cert}`, 'Cert follows Subject'],
    ['a name before Hash', `URI=x;${usual}`, 'Hash follows URI'],
    ['a key that Envoy does not have', `${usual};SAN=x`, '"san" is not a key'],
    ['a quoted Hash', usual.replace(/Hash=(\w+)/, 'Hash="$1"'), 'Hash is quoted'],
    ['a quoted URI', `${usual};URI="x"`, 'URI is quoted'],
    ['a quoted DNS', `${usual};DNS="x"`, 'DNS is quoted'],
    ['a quoted By', `By="x";${usual}`, 'By is quoted'],
    ['a bare Cert', usual.replaceAll('"', ''), 'Cert is not quoted'],
    ['a bare Subject', `${usual};Subject=CN=x`, 'Subject is not quoted'],
    ['a bare Chain', `${usual};${chain(client.pem).replaceAll('"', '')}`, 'Chain is not quoted'],
    ['a bare Issuer', `${usual};Issuer=CN=x`, 'Issuer is not quoted'],
    ['two blocks in Cert', `${hash};Cert="${escaped(client.pem, intermediate.pem)}"`, 'more than one PEM block'],
    ['a PEM that is not escaped', `${hash};Cert="${client.pem}"`, 'not an escaped PEM'],
    ['a PEM that is escaped twice', `${hash};Cert="${encodeURIComponent(escaped(client.pem))}"`, 'not a PEM'],
    ['bytes after the DER', withTrailingByte(), 'Hash is not the SHA-256'],
    ['a Chain of another client', `${usual};${chain(other.pem)}`, 'the first certificate of Chain is not'],
    ['a Chain without the leaf', `${usual};${chain(intermediate.pem)}`, 'the first certificate of Chain is not'],
    ['a Chain with the leaf last', `${usual};${chain(intermediate.pem, client.pem)}`, 'the first certificate of Chain'],
    ['an empty Chain', `${usual};Chain=""`, 'not a PEM'],
    ['text in the Chain', `${usual};${chain(client.pem, 'x\n', root.pem)}`, 'not exactly one canonical PEM block'],
    ['a Chain that is too long', `${usual};${chain(client.pem, ...pems(11))}`, 'more than 10 certificates'],
    ['JSON, a list', `[{"hash":"${hashOf(client.der)}"}]`, 'remove format: JSON from set_current_client_cert_details'],
    ['JSON, an object', '{"hash":"00"}', 'the JSON form'],
    ['a PEM alone', escaped(client.pem), 'expected a key and an equals sign at offset 0'],
    [
      "RFC 9440's form",
      `:${Buffer.from(client.der).toString('base64')}:`,
      'expected a key and an equals sign at offset 0',
    ],
  ])('%s', (_, value, reason) => {
    expect(() => decode(value)).toThrow(CertificateError);
    expect(() => decode(value)).toThrow(reason);
  });
});

function withTrailingByte(): string {
  return `${hash};Cert="${escaped(toPem(Buffer.concat([client.der, Buffer.of(0)])))}"`;
}
