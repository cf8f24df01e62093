import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { describeContent } from '../../src/files/describe-content.ts';
import { selfSigned, toPem } from '../support/certificates.ts';
import { openssl } from '../support/openssl.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { der, pem, privateKeyPem } = selfSigned();
const folder = temporaryDirectory();
const { cert, key } = selfSigned().writeTo(folder, 'pair');

/** What OpenSSL writes with `-out`. */
async function written(...args: readonly string[]): Promise<Buffer> {
  const out = join(folder, 'written');
  await openssl([...args, '-out', out]);
  return readFileSync(out);
}

const utf16 = Buffer.from(pem, 'utf16le');
const utf32 = Buffer.from([...pem].flatMap((character) => [character.charCodeAt(0), 0, 0, 0]));
const mark = Buffer.from([0xff, 0xfe]);

describe('text in another encoding is named', () => {
  test.each([
    ['UTF-16LE with a byte order mark', Buffer.concat([mark, utf16]), 'is UTF-16LE text'],
    ['UTF-16LE without one', utf16, 'is UTF-16LE text'],
    ['UTF-16BE with a byte order mark', Buffer.concat([mark, utf16]).swap16(), 'is UTF-16BE text'],
    ['UTF-16BE without one', Buffer.from(utf16).swap16(), 'is UTF-16BE text'],
    ['UTF-16LE that is not all ASCII', Buffer.from('# Größe, длина\nclients: []\n', 'utf16le'), 'is UTF-16LE text'],
    ['UTF-32LE', utf32, 'is UTF-32LE text'],
    ['UTF-32BE', Buffer.from(utf32).swap32(), 'is UTF-32BE text'],
  ])('%s', (_, content, expected) => {
    expect(describeContent(content)).toContain(expected);
    expect(describeContent(content)).toMatch(/save it as UTF-8 \(iconv -f UTF-(?:16|32)[LB]E -t UTF-8/);
  });
});

describe('what OpenSSL writes is named', () => {
  test.each([
    ['a PKCS #12 file', ['pkcs12', '-export', '-in', cert, '-inkey', key, '-passout', 'pass:x']],
    ['a PKCS #7 message', ['crl2pkcs7', '-nocrl', '-certfile', cert]],
    ['a PKCS #7 message', ['crl2pkcs7', '-nocrl', '-certfile', cert, '-outform', 'DER']],
    ['a certificate request', ['req', '-new', '-key', key, '-subj', '/CN=x', '-outform', 'DER']],
    ['a certificate request', ['req', '-new', '-key', key, '-subj', '/', '-outform', 'DER']],
    ['a certificate request', ['req', '-new', '-key', key, '-subj', '/CN=x']],
    ['a private key', ['pkey', '-in', key, '-outform', 'DER']],
    ['a private key', ['ec', '-in', key, '-outform', 'DER']],
    ['a private key', ['genrsa', '-traditional']],
    ['an encrypted private key', ['genrsa', '-traditional', '-aes128', '-passout', 'pass:xxxx']],
    ['an encrypted private key', ['pkcs8', '-topk8', '-in', key, '-passout', 'pass:x', '-outform', 'DER']],
    ['an encrypted private key', ['pkcs8', '-topk8', '-in', key, '-passout', 'pass:x']],
    ['a public key', ['pkey', '-in', key, '-pubout', '-outform', 'DER']],
    ['a public key', ['pkey', '-in', key, '-pubout']],
    ['key parameters, a private key', ['ecparam', '-genkey', '-name', 'prime256v1']],
    ["a certificate with OpenSSL's trust settings", ['x509', '-in', cert, '-addtrust', 'clientAuth', '-trustout']],
    ['a certificate as openssl x509 -text prints it', ['x509', '-in', cert, '-noout', '-text']],
    ['a certificate', ['x509', '-in', cert, '-outform', 'DER']],
  ])('%s: %j', async (expected, args) => {
    expect(describeContent(await written(...args))).toMatch(new RegExp(`^(?:is|contains) ${expected}`));
  });
});

describe('other content is named', () => {
  const base64 = Buffer.from(der).toString('base64');

  test.each([
    ['nothing', '', 'is empty'],
    ['white space', ' \r\n', 'is empty except for white space'],
    ['NUL bytes', Buffer.alloc(900), 'is nothing but NUL bytes'],
    ['gzip', gzipSync(pem), 'is gzip'],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\n', 'is a Git LFS pointer'],
    ['an error page', '\n<!DOCTYPE html>\n<html><body>404</body></html>', 'is an HTML page'],
    ['base64 without armour', base64, 'is the base64 of a certificate without its PEM lines'],
    ['PEM in base64', Buffer.from(pem).toString('base64'), 'is PEM encoded in base64 once more'],
    ['a JWK', '{"crv": "P-256", "kty": "EC"}', 'is a JWK'],
    ['a JWK Set', '{ "keys": [] }', 'is a JWK Set'],
    ['JSON', '[{"client_id": "a"}]', 'is JSON'],
    ['a Java key store', Buffer.from('feedfeed00000002', 'hex'), 'is a Java key store'],
    ['an OpenSSH key', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n', 'contains an OpenSSH private key'],
    [
      'an unknown label',
      toPem(der, 'ATTRIBUTE CERTIFICATE'),
      'contains a PEM block with the label ATTRIBUTE CERTIFICATE',
    ],
    ['a key and a certificate', privateKeyPem + pem, 'contains a private key, a certificate'],
    ['binary', Buffer.from([1, 0, 9, 9, 0, 7]), 'is binary'],
  ])('%s', (_, content, expected) => {
    expect(describeContent(Buffer.from(content))).toMatch(new RegExp(`^${expected}`));
  });

  test('text that is nothing known is not', () => {
    expect(describeContent(Buffer.from('some words'))).toBeUndefined();
  });
});
