import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { objectIdentifier, sequence, der as tlv } from '../support/der.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const atCase = (name: string) => join(repositoryRoot, 'test/cases', name);

const ca = createTestCa();
const client = ca.issue();
const caFile = file('ca.pem', ca.pem);
const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const inUtf16 = atCase('pem-in-utf-16/client.pem');
const clients = '- {client_id: a}\n';

describe('a file that does not contain what a command reads is named with its content and the fix', () => {
  test.each<[string, readonly string[], string]>([
    ['a certificate in UTF-16', ['certificate', inUtf16], `${inUtf16}: is UTF-16LE text`],
    ['CA certificates in UTF-16', ['certificate', caFile, '--ca', inUtf16], `${inUtf16}: is UTF-16LE text`],
    ['UTF-16BE', ['certificate', file('be.pem', utf16(client.pem).swap16())], 'be.pem: is UTF-16BE text'],
    ['clients in UTF-16', ['clients', 'check', file('a.yaml', utf16(clients))], 'a.yaml: is UTF-16LE text'],
    ['JSON Lines in UTF-16', ['clients', 'check', file('a.jsonl', utf16('{}\n'))], 'a.jsonl: is UTF-16LE text'],
    [
      'Latin-1',
      ['clients', 'check', file('b.yaml', Buffer.from(`${clients}# \xe4\n`, 'latin1'))],
      'line 2: not valid UTF-8',
    ],
    ['an export in UTF-16', ['clients', 'import', 'keycloak', file('k.json', utf16('{}'))], 'k.json: is UTF-16LE text'],
    ['an error page', ['clients', 'import', 'keycloak', file('e.json', '<html></html>')], 'e.json: is an HTML page'],
    ['a certificate as clients', ['clients', 'check', caFile], 'ca.pem: contains a certificate; expected'],
    ['gzip', ['clients', 'check', file('z.yaml', gzipSync(clients))], 'z.yaml: is gzip: decompress it'],
    [
      'a CA file with a key only',
      ['certificate', caFile, '--ca', file('key.pem', ca.privateKeyPem)],
      'it contains a private key',
    ],
    [
      'a historical label',
      ['certificate', file('old.pem', ca.pem.replaceAll('CERTIFICATE', 'X509 CERTIFICATE'))],
      'X509 CERTIFICATE: change the label of its BEGIN and END lines to CERTIFICATE',
    ],
    [
      'PKCS #7 in place of a CRL',
      [
        'certificate',
        caFile,
        '--ca',
        caFile,
        '--crl',
        file('crl.p7', '-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n'),
      ],
      'it contains a PKCS #7 message: extract its certificates and CRLs with openssl pkcs7',
    ],
    [
      'an empty CA file',
      ['certificate', caFile, '--ca', file('none.pem', '')],
      'none.pem: contains no certificate, neither PEM nor DER; it is empty',
    ],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await runCountersign(args);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(message);
  });
});

const bundle = file('bundle.pem', ca.pem + ca.privateKeyPem);

test('certificate notes each part of its file and of the CA file that it does not read', async () => {
  const certificate = file('pair.pem', client.pem + client.privateKeyPem);
  const { code, stdout } = await runCountersign(['certificate', certificate, '--ca', bundle]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Note: line \d+: contains a private key, which is not read/);
  expect(stdout).toMatch(/Note: .*bundle\.pem: line \d+: contains a private key, which is not read/);
  const json = await runCountersign(['certificate', certificate, '--ca', bundle, '-o', 'json']);
  expect(JSON.parse(json.stdout).unread).toEqual([
    expect.stringMatching(/^line \d+: contains a private key, which is not read/),
    expect.stringMatching(/bundle\.pem: line \d+: contains a private key, which is not read/),
  ]);
});

describe('a command that reads the CA file of the settings warns about the parts that it does not read', () => {
  const env = { COUNTERSIGN_CLIENT_CA_FILE: bundle, COUNTERSIGN_REDIS_URL: 'redis://127.0.0.1:9/' };
  const records = file('empty.yaml', 'clients: []\n');

  test.each<[string, readonly string[]]>([
    ['clients check', ['clients', 'check', records]],
    ['clients check -o json', ['clients', 'check', records, '-o', 'json']],
    ['clients plan', ['clients', 'plan', '-f', records]],
    ['certificate', ['certificate', caFile]],
  ])('%s', async (_, args) => {
    const { stdout, stderr } = await runCountersign(args, { env });
    expect(stderr).toMatch(/warning: COUNTERSIGN_CLIENT_CA_FILE: .*bundle\.pem: line \d+: contains a private key/);
    expect(stdout).not.toContain('private key');
  });
});

describe('a certificate that OpenSSL cannot parse is rejected with the value that it rejects', () => {
  const withValue = (tag: number, value: string) => {
    const attribute = sequence(objectIdentifier('2.5.4.13'), tlv(tag, Buffer.from(value)));
    const subject = sequence(tlv(0x31, attribute));
    return file(`value-${tag}.pem`, selfSigned({ subject }).pem);
  };

  test.each([
    ['a VisibleString', atCase('value-of-a-type-that-openssl-rejects/client.pem'), 'description is a VisibleString'],
    ['a GeneralString', withValue(0x1b, 'x'), 'description is a GeneralString'],
    ['an OCTET STRING', withValue(0x04, 'x'), 'description is of the ASN.1 type 0x04'],
  ])('%s', async (_, path, message) => {
    const { code, stderr } = await runCountersign(['certificate', path]);
    expect(code).toBe(1);
    expect(stderr).toContain(`cannot be parsed by OpenSSL: the value of ${message}`);
    expect(stderr).not.toMatch(/PEM|start line|routines/);
  });
});
