import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { ConfigurationError } from '../../src/errors/operator-error.ts';
import { createTestCa } from '../support/certificates.ts';
import { openssl } from '../support/openssl.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const folder = temporaryDirectory();
const file = (name: string, content: string | Uint8Array, mode = 0o600) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
};

const ca = createTestCa({ subject: [['CN', 'CA']] });
const server = ca.issue({ eku: 'server', subject: [['CN', 'server']] });
const expired = ca.issue({
  eku: 'server',
  subject: [['CN', 'old']],
  notBefore: new Date('2020-01-01T00:00:00Z'),
  notAfter: new Date('2021-01-01T00:00:00Z'),
});
const { cert, key } = server.writeTo(folder, 'server');

const validConfig = {
  COUNTERSIGN_ISSUER: 'https://auth.example',
  COUNTERSIGN_TERMINATOR: 'nginx',
  COUNTERSIGN_SIGNING_KEY: 'a key',
  COUNTERSIGN_CLIENTS_FILE: 'clients.yaml',
};
type Environment = Record<string, string>;
const read = (env: Environment) => readConfig({ ...validConfig, ...env });
const tls = (certificateFile: string, keyFile: string) => ({
  COUNTERSIGN_TLS_CERTIFICATE_FILE: certificateFile,
  COUNTERSIGN_TLS_KEY_FILE: keyFile,
});
const proxyCa = (path: string) => ({
  ...tls(cert, key),
  COUNTERSIGN_PROXY_CA_FILE: path,
  COUNTERSIGN_PROXY_SANS: 'gw',
});
const both = server.pem + server.privateKeyPem;

describe('a part of a configured file that is not read is a warning', () => {
  test.each<[string, Environment, RegExp]>([
    [
      'a key in a CA bundle',
      { COUNTERSIGN_CLIENT_CA_FILE: file('ca-and-key.pem', ca.pem + ca.privateKeyPem) },
      /CLIENT_CA_FILE: .*ca-and-key\.pem: line \d+: contains a private key, which is not read: keep it/,
    ],
    [
      'a key behind the certificate',
      tls(file('both.pem', both), key),
      /TLS_CERTIFICATE_FILE: .*both\.pem: line \d+: contains a private key/,
    ],
    [
      'a certificate before the key',
      tls(cert, file('key-too.pem', both)),
      /TLS_KEY_FILE: line 1: contains a certificate, which is not read/,
    ],
    [
      'a key in the CA of the proxy',
      proxyCa(file('proxy.pem', ca.pem + ca.privateKeyPem)),
      /PROXY_CA_FILE: .*contains a private key/,
    ],
    [
      'an expired certificate',
      tls(file('old.pem', expired.pem), file('old-key.pem', expired.privateKeyPem)),
      /the certificate of CN=old expired on 2021-01-01/,
    ],
  ])('%s', (_, env, warning) => {
    expect(read(env).warnings).toEqual([expect.stringMatching(warning)]);
  });

  test('and a file without any has none, in PEM or DER', () => {
    expect(read({ ...tls(cert, key), COUNTERSIGN_CLIENT_CA_FILE: file('ca.der', ca.der) }).warnings).toEqual([]);
    expect(read(tls(file('server.der', server.der), key)).warnings).toEqual([]);
  });
});

describe('a configured file is rejected with what it is', () => {
  const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
  const pkcs12 = async () => {
    const out = join(folder, 'server.p12');
    await openssl(['pkcs12', '-export', '-in', cert, '-inkey', key, '-passout', 'pass:x', '-out', out]);
    return out;
  };

  test.each<[string, () => Promise<Environment> | Environment, string]>([
    [
      'a CA bundle in UTF-16',
      () => ({ COUNTERSIGN_CLIENT_CA_FILE: file('u.pem', utf16(ca.pem)) }),
      'u.pem: is UTF-16LE text',
    ],
    ['a key in UTF-16', () => tls(cert, file('u-key.pem', utf16(server.privateKeyPem))), 'u-key.pem is UTF-16LE text'],
    [
      'a secret in UTF-16',
      () => ({ COUNTERSIGN_PROXY_SECRET_FILE: file('secret', utf16('x'.repeat(40))) }),
      'secret is UTF-16LE text',
    ],
    [
      'a certificate in PKCS #12',
      async () => tls(await pkcs12(), key),
      'neither PEM nor DER; it is a PKCS #12 file: extract',
    ],
    [
      'a key in DER',
      async () => {
        const out = file('key.der', '');
        await openssl(['pkey', '-in', key, '-outform', 'DER', '-out', out]);
        return tls(cert, out);
      },
      'key.der is not text in UTF-8: it is a private key',
    ],
    ['a folder as a key', () => tls(cert, folder), 'is not a file'],
    ['a missing key', () => tls(cert, '/nowhere'), '/nowhere cannot be read: no such file or directory'],
    [
      'a key that every user can write',
      () => tls(cert, file('w.pem', server.privateKeyPem, 0o602)),
      'w.pem is writable by every user',
    ],
    [
      'a key in a folder that every user can write',
      () => {
        mkdirSync(join(folder, 'open'));
        chmodSync(join(folder, 'open'), 0o777);
        return tls(cert, file('open/key.pem', server.privateKeyPem));
      },
      'can be replaced by every user: run chmod o-w',
    ],
  ])('%s', async (_, env, problem) => {
    const environment = await env();
    expect(() => read(environment)).toThrow(ConfigurationError);
    expect(() => read(environment)).toThrow(problem);
  });

  test('but its group may read it, and others may write in a folder with the sticky bit', () => {
    mkdirSync(join(folder, 'sticky'));
    chmodSync(join(folder, 'sticky'), 0o1777);
    expect(read(tls(cert, file('sticky/key.pem', server.privateKeyPem, 0o640))).warnings).toEqual([]);
  });
});
