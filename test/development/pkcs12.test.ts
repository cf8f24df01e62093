import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { createPkcs12 } from '../../src/development/pkcs12.ts';
import { PasswordError } from '../../src/files/pkcs12/password.ts';
import { parsePkcs12 } from '../../src/files/pkcs12/pkcs12.ts';
import { createTestCa } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { openssl } from '../support/openssl.ts';
import { findProgram } from '../support/programs.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const client = createTestCa().issue({});
const pair = { certificatePem: client.pem, privateKeyPem: client.privateKeyPem };
const password = 'pässword';
const file = join(temporaryDirectory(), 'client.p12');
writeFileSync(file, createPkcs12(pair, { name: 'client', password }));
const keytool = findProgram('keytool');
if (!keytool) console.warn('skipped: Java does not read client.p12: keytool is missing');

describeWith(['openssl'], 'a PKCS #12 file', () => {
  test('is read by OpenSSL: the certificate and its key', async () => {
    const read = (part: string) =>
      openssl(['pkcs12', '-in', file, '-passin', `pass:${password}`, part, '-noenc', '-info']);
    expect(await read('-nokeys')).toContain(client.pem.trim());
    expect(await read('-nocerts')).toContain(client.privateKeyPem.trim());
  });

  test('is read by Node.js, and by our own parser', () => {
    const content = createPkcs12(pair, { name: 'client', password });
    expect(() => createSecureContext({ pfx: Buffer.from(content), passphrase: password })).not.toThrow();
    expect(() => createSecureContext({ pfx: Buffer.from(content), passphrase: 'other' })).toThrow('mac verify failure');
    const { certificates, privateKeys, unread } = parsePkcs12(content, password);
    expect([certificates.map((der) => Buffer.from(der)), privateKeys.length, unread]).toEqual([[client.der], 1, []]);
    expect(() => parsePkcs12(content, 'other')).toThrow(PasswordError);
  });

  // Java is not a program that the tests install.
  test.skipIf(!keytool)('is read by Java, under the name of its key', async () => {
    const ascii = join(temporaryDirectory(), 'client.p12');
    writeFileSync(ascii, createPkcs12(pair, { name: 'client', password: 'countersign' }));
    const { stdout } = await runProgram(keytool ?? '', ['-list', '-keystore', ascii, '-storepass', 'countersign']);
    expect(stdout.toString()).toMatch(/^client, .*PrivateKeyEntry/m);
  });
});
