import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type DoctorOptions, parseProbeOptions } from '../../../src/doctor/probe/options.ts';
import { OperatorError } from '../../../src/errors/operator-error.ts';
import { selfSigned } from '../../support/certificates.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const folder = temporaryDirectory();
const client = selfSigned({ subject: [['CN', 'client']] });
const { cert, key } = client.writeTo(folder, 'client');
const { key: otherKey } = selfSigned().writeTo(folder, 'other');
const empty = join(folder, 'empty.pem');
writeFileSync(empty, '');
const url = 'https://auth.example';

async function problemsOf(options: Partial<DoctorOptions>): Promise<string> {
  try {
    await parseProbeOptions({ url, operations: [], ...options });
  } catch (error) {
    if (error instanceof OperatorError) return error.problems.join('\n');
    throw error;
  }
  return '';
}

test('all options are parsed', async () => {
  const operations = ['http://localhost:9091/', 'unix:/run/operations.sock'];
  const parsed = await parseProbeOptions({ url, cert, key, cacert: cert, connectTo: '[::1]:8443', operations });
  expect(parsed).toMatchObject({
    url,
    clientKeyPair: { subject: 'CN=client', thumbprint: client.thumbprint, generated: false },
    serverCa: client.pem,
    serverCaFile: cert,
    connectTo: { host: '::1', port: 8443 },
    operationsListeners: ['http://localhost:9091', 'unix:/run/operations.sock'],
  });
});

test('one file contains the certificate and its encrypted key', async () => {
  const format = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
  const both = join(folder, 'both.pem');
  writeFileSync(both, client.pem + client.keys.privateKey.export(format));
  const parsed = await parseProbeOptions({ url, cert: both, password: 'secret' });
  expect(parsed).toMatchObject({ clientKeyPair: { thumbprint: client.thumbprint }, unread: [] });
  expect(await problemsOf({ cert: both, password: 'other' })).toContain('cannot be decrypted: check the password');
  expect(await problemsOf({ cert: both })).toContain('contains an encrypted private key: decrypt it with openssl');
});

test('a certificate is generated and the default listener is used when only the URL is given', async () => {
  const parsed = await parseProbeOptions({ url, operations: [] });
  expect(parsed).toMatchObject({
    clientKeyPair: { subject: 'CN=countersign-doctor', generated: true },
    serverCa: undefined,
    connectTo: undefined,
    operationsListeners: ['http://127.0.0.1:9090'],
  });
});

test.each([
  ['https://auth.example/', 'https://auth.example'],
  ['https://AUTH.example:443/token', 'https://auth.example'],
  ['https://auth.example/tenant/token', 'https://auth.example/tenant'],
  ['https://auth.example/mytoken', 'https://auth.example/mytoken'],
])('the URL %s is parsed as %s', async (text, expected) => {
  expect((await parseProbeOptions({ url: text, operations: [] })).url).toBe(expected);
});

test.each<[Partial<DoctorOptions>, string]>([
  [{ url: 'auth.example' }, '--url'],
  [{ url: 'http://auth.example' }, 'https://'],
  [{ cert }, '--cert requires --key'],
  [{ key }, '--key requires --cert'],
  [{ cert, key: otherKey }, `${otherKey} is not the key of ${cert}`],
  [{ cert: empty, key }, `${empty}: contains no certificate, neither PEM nor DER; it is empty`],
  [{ cert: key, key }, `${key}: contains no certificate, neither PEM nor DER; it contains a private key`],
  [{ cert, key: cert }, `${cert}: contains no private key in PEM; it contains a certificate`],
  [{ cert: join(folder, 'nowhere.pem'), key }, 'nowhere.pem: cannot be read: no such file or directory'],
  [{ cacert: key }, `${key}: contains no certificate, neither PEM nor DER; it contains a private key`],
  [{ connectTo: 'localhost' }, '--connect-to'],
  [{ connectTo: 'localhost:0' }, '--connect-to'],
  [{ operations: ['localhost'] }, '--operations'],
  [{ operations: ['localhost:99999'] }, '--operations'],
  [{ operations: ['https://localhost:9090'] }, '--operations'],
])('%o is rejected', async (options, problem) => {
  expect(await problemsOf(options)).toContain(problem);
});

test.each([
  ['127.0.0.1:9090', 'http://127.0.0.1:9090'],
  ['localhost:9090', 'http://localhost:9090'],
  ['[::1]:9090', 'http://[::1]:9090'],
])('the listener %s is parsed as %s', async (text, expected) => {
  expect((await parseProbeOptions({ url, operations: [text] })).operationsListeners).toEqual([expected]);
});

test('all problems of the options are reported at once', async () => {
  const problems = await problemsOf({ url: 'x', cert, connectTo: 'x', operations: ['x'] });
  expect(problems.split('\n')).toHaveLength(4);
});

test('at the edge, the URL keeps its path and its query', async () => {
  const { url: parsed } = await parseProbeOptions({ url: 'https://api.example/orders/token?a=b#c', edge: true });
  expect(parsed).toBe('https://api.example/orders/token?a=b');
});

test('a token is read from its file', async () => {
  const token = join(folder, 'token');
  writeFileSync(token, 'abc.def.ghi\n');
  expect(await parseProbeOptions({ url, edge: true, token })).toMatchObject({ token: 'abc.def.ghi' });
  expect(await problemsOf({ token })).toMatch(/^--token requires --edge/);
});

test('a file that is not a token is named, but not its content', async () => {
  const token = join(folder, 'not-a-token');
  writeFileSync(token, '{"access_token": "hunter2"}');
  expect(await problemsOf({ edge: true, token })).toBe(
    `${token}: is not an access token: pass the value of "access_token" in a response of /token`,
  );
  expect(await problemsOf({ edge: true, token: join(folder, 'missing') })).toMatch(/missing: cannot be read: /);
});
