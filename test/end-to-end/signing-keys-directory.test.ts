import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { createTestCa } from '../support/certificates.ts';
import { runCountersign } from '../support/countersign.ts';
import { formOf } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { exact } from '../support/forged-headers.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { sendRequest } from '../support/raw-http.ts';
import { folderWith, mountSecret, newPem } from '../support/signing-key-files.ts';

const client = createTestCa({ subject: [['CN', 'CA']] }).issue({ subject: [['CN', 'billing']] });

async function start(folder: string): Promise<AuthorizationServer> {
  const env = { COUNTERSIGN_SIGNING_KEY_FILE: '', COUNTERSIGN_SIGNING_KEYS_DIR: folder };
  const server = await startAuthorizationServer({ env });
  onTestFinished(async () => void (await server.stop()));
  const { thumbprint } = client;
  const certificates = [{ thumbprint }];
  await server.register({
    client_id: 'billing',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    certificates,
  });
  return server;
}

async function tokenOf(server: AuthorizationServer): Promise<string> {
  const lines = ['Content-Type: application/x-www-form-urlencoded', ...exact(client)];
  const { body } = await sendRequest(server.url, { lines, body: formOf('billing') });
  return JSON.parse(body).access_token;
}

const get = (server: AuthorizationServer, path: string): Promise<HttpResponse> =>
  sendRequest(server.url, { method: 'GET', path });
const kidOf = (token: string) => decodeProtectedHeader(token).kid;

describeWith(['redis-server'], 'a mounted Secret with signing keys', () => {
  test('rotates keys without a restart, and an invalid update leaves them as they are', async () => {
    const [one, two] = [newPem(), newPem()];
    const volume = mountSecret({ 'first.pem': one });
    const server = await start(volume.folder);
    const [before, documentBefore] = [await tokenOf(server), await get(server, '/jwks')];
    volume.swap({ 'first.pem': one, '2020-01-01.pem': two });
    await server.countersign.waitForEvent(({ event }) => event === 'signing_keys_reloaded');
    const [after, document] = [await tokenOf(server), await get(server, '/jwks')];
    expect(kidOf(after)).not.toBe(kidOf(before));
    expect(document.headers.get('etag')).not.toBe(documentBefore.headers.get('etag'));
    const keys = createLocalJWKSet(JSON.parse(document.body));
    for (const token of [before, after]) await jwtVerify(token, keys);
    const warning = await server.countersign.waitForEvent(({ event }) => event === 'signing_key_warning');
    expect(warning.message).toMatch(/2020-01-01\.pem appeared too late: its key .* signs at once/);

    volume.swap({ 'first.pem': one, '2020-01-01.pem': two, '2026-13-01.pem': newPem(), 'ca.crt': 'x' });
    const failed = await server.countersign.waitForEvent(({ event }) => event === 'signing_keys_reload_failed');
    expect(failed.reason).toMatch(/\/2026-13-01\.pem has a name .*; .*\/ca\.crt: contains no private key/);
    expect((await get(server, '/jwks')).body).toBe(document.body);
    expect(kidOf(await tokenOf(server))).toBe(kidOf(after));
  });
});

test('a server does not start with an invalid directory of keys, and reports every problem', async () => {
  const key = newPem();
  const folder = folderWith({ '2020-01-01.pem': key, '2020-01-02.pem': key, '2020-01-03.pem': key.slice(0, 99) });
  const env = {
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_CLIENTS_FILE: '/nowhere.yaml',
    COUNTERSIGN_SIGNING_KEYS_DIR: folder,
  };
  const { code, stderr } = await runCountersign(['serve'], { env });
  const problems = stderr
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(`${folder}/`, '').replace('countersign: ', ''));
  expect([code, problems]).toEqual([
    2,
    [
      expect.stringMatching(/^COUNTERSIGN_SIGNING_KEYS_DIR: 2020-01-03\.pem: /),
      'COUNTERSIGN_SIGNING_KEYS_DIR: 2020-01-02.pem contains the same key as 2020-01-01.pem: remove one of the two',
      expect.stringContaining('/nowhere.yaml'),
    ],
  ]);
});
