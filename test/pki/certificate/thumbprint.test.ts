import { describe, expect, test } from 'vitest';
import { CertificateError } from '../../../src/pki/certificate/certificate-error.ts';
import { parseThumbprint, sha1Thumbprint, sha256Thumbprint } from '../../../src/pki/certificate/thumbprint.ts';
import { selfSigned } from '../../support/certificates.ts';
import { openssl } from '../../support/openssl.ts';

const { der, pem } = selfSigned();
const value = sha256Thumbprint(der);
const hex = Buffer.from(value, 'base64url').toString('hex');
const pairs = hex.match(/../g) ?? [];
const sha1 = Buffer.from(sha1Thumbprint(der), 'base64url').toString('hex');

describe('a SHA-256 thumbprint is parsed', () => {
  test.each([
    ['base64url', value],
    ['base64url with padding', `${value}=`],
    ['base64', Buffer.from(hex, 'hex').toString('base64')],
    ['hex, lower case', hex],
    ['hex, upper case', hex.toUpperCase()],
    ['hex with colons', pairs.join(':')],
    ['hex with spaces, upper case', pairs.join(' ').toUpperCase()],
    ['hex with hyphens', pairs.join('-')],
    ['with space around it', `  ${hex}\n`],
    ["as Windows' dialogue copies it", `\u200e${pairs.join(' ')}`],
  ])('%s', (_, text) => {
    expect(parseThumbprint(text)).toEqual({ algorithm: 'sha256', value });
  });

  test('in the format of openssl', async () => {
    const printed = await openssl(['x509', '-noout', '-fingerprint', '-sha256'], pem);
    expect(parseThumbprint(printed)).toEqual({ algorithm: 'sha256', value });
  });
});

test('a SHA-1 thumbprint is parsed as SHA-1', async () => {
  expect(parseThumbprint(sha1)).toEqual({ algorithm: 'sha1', value: sha1Thumbprint(der) });
  expect(parseThumbprint('bca0d040847f843c5ee0fa6eb494837470155868').algorithm).toBe('sha1');
  const printed = await openssl(['x509', '-noout', '-fingerprint', '-sha1'], pem);
  expect(parseThumbprint(printed)).toEqual({ algorithm: 'sha1', value: sha1Thumbprint(der) });
});

describe('text that is not a thumbprint is rejected', () => {
  test.each([
    ['nothing', ''],
    ['MD5', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['SHA-384 in hex', 'ab'.repeat(48)],
    ['hex with one digit missing', hex.slice(1)],
    ['hex with one digit too many', `${hex}0`],
    ['base64url that no encoder writes', `${value.slice(0, -1)}${value.endsWith('9') ? '8' : '9'}`],
    ['base64url with something behind it', `${value}A`],
    ['hex with a letter that is none', `${hex.slice(1)}g`],
  ])('%s', (_, text) => {
    expect(() => parseThumbprint(text)).toThrow(CertificateError);
  });
});
