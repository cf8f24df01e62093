import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type DoctorOptions, parseProbeOptions } from '../../../src/doctor/probe/options.ts';
import { OperatorError } from '../../../src/operator-error.ts';
import { selfSigned } from '../../support/certificates.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const folder = temporaryDirectory();
const client = selfSigned({ subject: [['CN', 'client']] });
const { cert, key } = client.writeTo(folder, 'client');
const { key: otherKey } = selfSigned().writeTo(folder, 'other');
const empty = join(folder, 'empty.pem');
writeFileSync(empty, '');
const url = 'https://auth.example';

async function faultsOf(options: Partial<DoctorOptions>): Promise<string> {
  try {
    await parseProbeOptions({ url, operations: [], ...options });
  } catch (error) {
    if (error instanceof OperatorError) return error.problems.join('\n');
    throw error;
  }
  return '';
}

test('a whole order', async () => {
  const operations = ['http://localhost:9091/', 'unix:/run/operations.sock'];
  const order = await parseProbeOptions({ url, cert, key, cacert: cert, connectTo: '[::1]:8443', operations });
  expect(order).toMatchObject({
    url,
    identity: { subject: 'CN=client', thumbprint: client.thumbprint, made: false },
    serverCa: client.pem,
    serverCaFile: cert,
    connectTo: { host: '::1', port: 8443 },
    listeners: ['http://localhost:9091', 'unix:/run/operations.sock'],
  });
});

test('without more than the URL', async () => {
  const order = await parseProbeOptions({ url, operations: [] });
  expect(order).toMatchObject({
    identity: { subject: 'CN=countersign-doctor', made: true },
    serverCa: undefined,
    connectTo: undefined,
    listeners: ['http://127.0.0.1:9090'],
  });
});

test.each([
  ['https://auth.example/', 'https://auth.example'],
  ['https://AUTH.example:443/token', 'https://auth.example'],
  ['https://auth.example/tenant/token', 'https://auth.example/tenant'],
  ['https://auth.example/mytoken', 'https://auth.example/mytoken'],
])('%s is %s', async (text, expected) => {
  expect((await parseProbeOptions({ url: text, operations: [] })).url).toBe(expected);
});

test.each<[Partial<DoctorOptions>, string]>([
  [{ url: 'auth.example' }, '--url'],
  [{ url: 'http://auth.example' }, 'https://'],
  [{ cert }, '--cert stands alone'],
  [{ key }, '--key stands alone'],
  [{ cert, key: otherKey }, `${otherKey} is not the key of ${cert}`],
  [{ cert: empty, key }, `${empty}: holds no certificate`],
  [{ cert: key, key }, `${key}: holds no certificate`],
  [{ cert, key: cert }, `${cert}: holds no private key`],
  [{ cert: join(folder, 'nowhere.pem'), key }, 'nowhere.pem: cannot be read: ENOENT'],
  [{ cacert: key }, `${key}: holds no certificate`],
  [{ connectTo: 'localhost' }, '--connect-to'],
  [{ connectTo: 'localhost:0' }, '--connect-to'],
  [{ operations: ['localhost'] }, '--operations'],
  [{ operations: ['localhost:99999'] }, '--operations'],
  [{ operations: ['https://localhost:9090'] }, '--operations'],
])('%o is refused', async (options, fault) => {
  expect(await faultsOf(options)).toContain(fault);
});

test.each([
  ['127.0.0.1:9090', 'http://127.0.0.1:9090'],
  ['localhost:9090', 'http://localhost:9090'],
  ['[::1]:9090', 'http://[::1]:9090'],
])('the listener %s is %s', async (text, expected) => {
  expect((await parseProbeOptions({ url, operations: [text] })).listeners).toEqual([expected]);
});

test('all that is wrong is said at once', async () => {
  const problems = await faultsOf({ url: 'x', cert, connectTo: 'x', operations: ['x'] });
  expect(problems.split('\n')).toHaveLength(4);
});
