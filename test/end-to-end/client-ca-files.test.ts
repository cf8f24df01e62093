import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { createTestCa, type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { formOf } from '../support/deployment.ts';
import { x509v1 } from '../support/der-surgery.ts';
import { describeWith } from '../support/describe-with.ts';
import { exact } from '../support/forged-headers.ts';
import { sendRequest } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const subject = [['CN', 'victim']] as const;
const one = createTestCa({ subject: [['CN', 'One']] });
const two = createTestCa({ subject: [['CN', 'Two']] });
const ofOne = one.issue({ subject });
const ofTwo = two.issue({ subject });

async function start(path: string): Promise<AuthorizationServer> {
  const server = await startAuthorizationServer({ env: { COUNTERSIGN_CLIENT_CA_FILE: path } });
  onTestFinished(async () => void (await server.stop()));
  await server.register({
    client_id: 'victim',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=victim',
  });
  return server;
}

async function statusOf(server: AuthorizationServer, certificate: MintedCertificate): Promise<number> {
  const lines = ['Content-Type: application/x-www-form-urlencoded', ...exact(certificate)];
  return (await sendRequest(server.url, { lines, body: formOf('victim') })).status;
}

/** A volume as mounted by Kubernetes: files are links into `..data`, which links to the directory of a version. */
function startVolume(pem: string): { folder: string; swap: (version: string, pem: string) => void } {
  const folder = temporaryDirectory();
  const write = (version: string, content: string) => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'ca.crt'), content);
    symlinkSync(version, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  write('..2026_01', pem);
  symlinkSync('..data/ca.crt', join(folder, 'ca.crt'));
  return { folder, swap: write };
}

describeWith(['redis-server'], 'the client CA certificates', () => {
  test('are replaced as a whole when a mounted volume changes', async () => {
    const volume = startVolume(one.pem);
    const server = await start(volume.folder);
    expect([await statusOf(server, ofOne), await statusOf(server, ofTwo)]).toEqual([200, 400]);
    volume.swap('..2026_02', two.pem);
    await server.countersign.waitForEvent(({ event }) => event === 'client_ca_reloaded');
    expect([await statusOf(server, ofOne), await statusOf(server, ofTwo)]).toEqual([400, 200]);
  });

  test('stay in use while the files are invalid, and are replaced afterwards', async () => {
    const volume = startVolume(one.pem);
    const server = await start(volume.folder);
    volume.swap('..2026_02', `${two.pem}${two.pem.slice(0, 200)}`);
    const { reason } = await server.countersign.waitForEvent(({ event }) => event === 'client_ca_reload_failed');
    expect(reason).toContain(join(volume.folder, 'ca.crt'));
    expect([await statusOf(server, ofOne), await statusOf(server, ofTwo)]).toEqual([200, 400]);
    volume.swap('..2026_03', one.pem + two.pem);
    await server.countersign.waitForEvent(({ event }) => event === 'client_ca_reloaded');
    expect([await statusOf(server, ofOne), await statusOf(server, ofTwo)]).toEqual([200, 200]);
  });

  test('are logged on startup with role, subject, key and expiry', async () => {
    const folder = temporaryDirectory();
    const old = createTestCa({
      subject: [['CN', 'Old']],
      notBefore: new Date('2020-01-01'),
      notAfter: new Date('2021-01-01'),
    });
    for (const [name, { pem }] of Object.entries({ one, two: one.issueIntermediate(), old })) {
      writeFileSync(join(folder, `${name}.pem`), pem);
    }
    writeFileSync(join(folder, 'one-key.pem.bak'), one.privateKeyPem);
    const { countersign } = await start(folder);
    const listed = countersign.lines.filter(({ event }) => event === 'client_ca');
    const key = expect.stringMatching(/^[\w-]{43}$/);
    expect(listed).toEqual([
      expect.objectContaining({
        level: 'warn',
        role: 'anchor',
        subject: 'CN=Old',
        not_after: '2021-01-01T00:00:00.000Z',
      }),
      expect.objectContaining({ level: 'info', role: 'anchor', subject: 'CN=One', public_key_thumbprint: key }),
      expect.objectContaining({ level: 'info', role: 'intermediate', subject: 'CN=Test intermediate CA' }),
    ]);
  });

  describe('prevent the server from starting', () => {
    const folder = temporaryDirectory();
    test.each<[string, string | undefined, string]>([
      ['if the file is missing', undefined, 'no such file or directory'],
      ['if the file is empty', '', 'contains no certificate'],
      ['if there is a client certificate among them', one.pem + ofOne.pem, 'certificate 2: is not a CA certificate'],
      ['if there is an X.509 v1 certificate', x509v1(one).pem, 'is X.509 v1'],
      ['if a key is weak', selfSigned({ ca: true, keyType: 'rsa-1024' }).pem, 'RSA key of 1024 bits'],
      ['if none is a trust anchor', one.issueIntermediate().pem, 'contains only intermediates'],
    ])('%s', async (title, content, message) => {
      const path = join(folder, `${title}.pem`);
      if (content !== undefined) writeFileSync(path, content);
      const outcome = await start(path).then(
        () => 'it started',
        (error: Error) => error.message,
      );
      expect(outcome).toContain(`COUNTERSIGN_CLIENT_CA_FILE: ${path}`);
      expect(outcome).toContain(message);
    });
  });
});
