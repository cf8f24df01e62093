import { describe, expect, test } from 'vitest';
import { FileContentError } from '../../src/files/file-content-error.ts';
import { decodePemBlock, parsePemFile } from '../../src/files/pem-file.ts';
import { parsePrivateKeyFile } from '../../src/files/private-key.ts';
import { parseCertificateFile } from '../../src/pki/certificate/pem.ts';
import { selfSigned, toPem } from '../support/certificates.ts';
import { openssl } from '../support/openssl.ts';

const { der, pem, privateKeyPem } = selfSigned();
const [begin, end] = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'];
const body = pem.split('\n').slice(1, -2);
const base64 = body.join('');
const read = (text: string | Buffer) => parseCertificateFile(Buffer.from(text));

describe('a certificate is read', () => {
  test.each([
    ['with CRLF', pem.replaceAll('\n', '\r\n')],
    ['with CR', pem.replaceAll('\n', '\r')],
    ['without its last line break', pem.trimEnd()],
    ['after a UTF-8 byte order mark', `\ufeff${pem}`],
    ['in indented lines, as in YAML', pem.replaceAll(/^/gm, '    ')],
    ['with white space after its lines', pem.replaceAll('\n', ' \t\n')],
    ['on one line', `${begin} ${body.join(' ')} ${end}`],
    ['on one line without spaces', `${begin}${base64}${end}`],
    ['after Bag Attributes of openssl pkcs12', `Bag Attributes\n    localKeyID: 54 69\nsubject=CN = x\n${pem}`],
    ['after text in Latin-1', Buffer.concat([Buffer.from('Gr\xf6\xdfe\n', 'latin1'), Buffer.from(pem)])],
    ['after a key, which is reported', privateKeyPem + pem],
  ])('%s', (_, text) => {
    expect(read(text).certificates.map((each) => Buffer.from(each))).toEqual([Buffer.from(der)]);
  });

  test('and so is one directly behind another, without a line break between them', () => {
    expect(read(pem.trimEnd() + pem).certificates).toHaveLength(2);
  });
});

describe('what is not read is reported with its line', () => {
  test.each([
    ['a private key', `${pem}${privateKeyPem}`, [/^line \d+: contains a private key, which is not read: keep it/]],
    ['an RSA key', pem + toPem(der, 'RSA PRIVATE KEY'), [/contains a private key, which is not read/]],
    ['a trusted certificate', pem + toPem(der, 'TRUSTED CERTIFICATE'), [/OpenSSL's trust settings .*openssl x509 -in/]],
    ['a CRL and a request', pem + toPem(der, 'X509 CRL') + toPem(der, 'NEW CERTIFICATE REQUEST'), [/a CRL/, /request/]],
    ['EC parameters', toPem(der, 'EC PARAMETERS') + pem, [/^line 1: contains key parameters/]],
    ['a certificate in a comment', `${pem}${pem.replaceAll(/^/gm, '# ')}`, [/text before -----BEGIN CERTIFICATE-----/]],
    ['base64 without armour', `${pem}\n${body.join('\n')}\n`, [/^line \d+: base64 without BEGIN and END lines/]],
  ])('%s', (_, text, expected) => {
    const { unread } = read(text);
    expect(unread).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });

  test('explanatory text is not (RFC 7468 §2)', () => {
    expect(read(`subject=CN = x\n${pem}\nsome words\n${pem}# the end\n`).unread).toEqual([]);
  });
});

describe('damage is named with its line', () => {
  test.each([
    ['en dashes', pem.replaceAll('-----', '\u2013\u2013\u2013'), 'line 1: a typographic dash'],
    ['an em dash and an en dash', pem.replace('-----BEGIN', '\u2014\u2013BEGIN'), 'line 1: a typographic dash'],
    ['no-break spaces', pem.replaceAll('BEGIN ', 'BEGIN\u00a0'), 'line 1: a no-break space'],
    ['four hyphens', pem.replaceAll('-----', '----'), 'line 1: 4 hyphens before BEGIN instead of 5'],
    ['six hyphens', pem.replaceAll('-----', '------'), 'line 1: 6 hyphens before BEGIN instead of 5'],
    ['four hyphens at the end', pem.replace('CATE-----', 'CATE----'), 'line 1: 4 hyphens at the end'],
    ['lower case', pem.toLowerCase(), 'line 1: lower-case letters'],
    ['a lower-case label', pem.replaceAll('CERTIFICATE', 'Certificate'), 'line 1: lower-case letters'],
    ['no END line', pem.slice(0, -30), `line 1: ${begin} without an END line`],
    ['no BEGIN line', pem.slice(begin.length), `${end} without a BEGIN line before it`],
    [
      'a lost END line between two',
      pem.replace(`${end}\n`, '') + pem,
      `line 1: ${begin} without an END line before the`,
    ],
    ['another END label', pem.replace(end, '-----END X509 CRL-----'), 'is followed by -----END X509 CRL-----'],
    ['\\n in place of line breaks', pem.replaceAll('\n', '\\n'), 'it has \\n in place of line breaks'],
    ['a character that is not base64', pem.replace('MII', 'M!I'), 'line 2: it contains "!"'],
    ['a zero-width space', pem.replace('MII', 'M\u200bII'), 'line 2: it contains U+200B'],
    ['a header line', pem.replace(begin, `${begin}\nProc-Type: 4,ENCRYPTED\n`), 'line 2: a header line is not allowed'],
    ['cut off base64', pem.replace(body.at(-1) ?? '', 'A'), 'it is cut off, or lacks its padding'],
    ['UTF-16', Buffer.from(`\ufeff${pem}`, 'utf16le'), 'is UTF-16LE text'],
    ['cut off DER', Buffer.from(der.subarray(0, 200)), 'is DER that is cut off'],
  ])('%s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  test('also behind a certificate that is read', () => {
    expect(() => read(pem + pem.replaceAll('-----', '----'))).toThrow(/^line \d+: 4 hyphens before BEGIN/);
  });

  test('prose about BEGIN and END is not damage', () => {
    expect(read(`- begin certificate\n-- BEGIN of the list\n${pem}`).certificates).toHaveLength(1);
  });
});

describe('a private key', () => {
  const parse = (text: string) => parsePrivateKeyFile(Buffer.from(text));

  test('is read with its EC parameters, and from between certificates, which are reported', async () => {
    expect(parse(await openssl(['ecparam', '-genkey', '-name', 'prime256v1'])).unread).toEqual([]);
    const { key, unread } = parse(pem + privateKeyPem.replaceAll('\n', '\r\n') + pem);
    expect(key.asymmetricKeyType).toBe('ec');
    expect(unread).toEqual([expect.stringMatching(/^line 1: contains a certificate, which/), expect.any(String)]);
  });

  test.each([
    ['a certificate', pem, 'contains no private key in PEM; it contains a certificate'],
    ['two keys', privateKeyPem + privateKeyPem, 'contains more than one private key, in lines 1 and 6'],
    [
      'an encrypted key',
      toPem(der, 'ENCRYPTED PRIVATE KEY'),
      'contains an encrypted private key: decrypt it with openssl',
    ],
    ['an OpenSSH key', toPem(der, 'OPENSSH PRIVATE KEY'), 'contains an OpenSSH private key: convert'],
    ['a damaged key', toPem(der, 'PRIVATE KEY'), 'the PRIVATE KEY in line 1 cannot be parsed by OpenSSL'],
    ['a JWK', '{"kty": "EC", "d": "x"}', 'contains no private key in PEM; it is a JWK'],
    ['nothing', '', 'contains no private key in PEM; it is empty'],
  ])('is not %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(FileContentError);
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).not.toThrow(base64.slice(40, 60));
  });

  test('is named when it is encrypted in the traditional format', async () => {
    const encrypted = await openssl(['genrsa', '-traditional', '-aes128', '-passout', 'pass:xxxx']);
    expect(() => parse(encrypted)).toThrow('contains an encrypted private key');
  });
});

test('a file of 30 MiB without a block, or with 100,000 lines like a BEGIN line, is parsed in linear time', () => {
  const { blocks } = parsePemFile(Buffer.from('-----BEGIN A-----\nAAAA\n-----END A-----\n'.repeat(100_000)));
  expect(blocks).toHaveLength(100_000);
  expect(blocks[0] && Buffer.from(decodePemBlock(blocks[0]))).toEqual(Buffer.alloc(3));
  expect(parsePemFile(Buffer.alloc(30 * 1_048_576, '-- BEGIN \n')).blocks).toEqual([]);
});
