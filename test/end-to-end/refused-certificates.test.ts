import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Decision } from '../support/authorization-server.ts';
import { createTestCa, type MintedCertificate, selfSigned, type TestCa } from '../support/certificates.ts';
import { type Deployment, formOf, type Identity, mtlsHost, plainHost, startDeployment } from '../support/deployment.ts';
import { x509v1 } from '../support/der-surgery.ts';
import { describeWith } from '../support/describe-with.ts';
import { hostComparison } from '../support/nginx.ts';
import { programPath } from '../support/program-path.ts';
import { runProgram } from '../support/run-program.ts';

const subject = [['CN', 'victim']] as const;
const HOUR = 3_600_000;
const past = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
const future = { notBefore: new Date(Date.now() + HOUR), notAfter: new Date(Date.now() + 2 * HOUR) };

type Mint = (ca: TestCa) => Identity | undefined;

const withChain = (leaf: MintedCertificate, ...others: MintedCertificate[]) => ({
  ...leaf,
  pem: [leaf, ...others].map(({ pem }) => pem).join(''),
});
const byIntermediate: Mint = (ca) => ca.issueIntermediate().issue({ subject });
const failed = (text: string) =>
  new RegExp(`^the certificate's chain is not verified: x-ssl-client-verify is "FAILED:${text}`);
const expired = /^the certificate expired at /;
const notYetValid = /^the certificate is not valid before/;
const wrongPurpose = /extended key usage lacks clientAuth/;
const caCertificate = /is a CA certificate/;
const otherSubject = /^the certificate's subject is "CN=other"; registered is "CN=victim"$/;
const notComparable =
  /^the certificate's subject "CN=victim\\00x" cannot match any client: the value of CN contains U\+0000/;

/** nginx forwards each of them, also those that it does not accept itself. */
const rejected: [title: string, Mint, reason: RegExp][] = [
  ['no certificate', () => undefined, /^no certificate: the terminator forwarded no certificate in x-ssl-client-cert$/],
  ["another client's certificate", (ca) => ca.issue({ subject: [['CN', 'other']] }), otherSubject],
  [
    "another client's certificate, with the victim's in its chain",
    (ca) => withChain(ca.issue({ subject: [['CN', 'other']] }), ca.issue({ subject })),
    otherSubject,
  ],
  ['a certificate of the same name by another CA', () => createTestCa().issue({ subject }), failed('unable to verify')],
  [
    'a certificate of the same name by another CA of the same name',
    (ca) => createTestCa({ subject: ca.subject }).issue({ subject }),
    failed(''),
  ],
  ['a self-signed certificate of the same name', () => selfSigned({ subject }), failed('self-signed certificate')],
  ['a certificate by an intermediate that is not sent', byIntermediate, failed('unable to')],
  ['an expired certificate', (ca) => ca.issue({ subject, ...past }), expired],
  ['a certificate that is not yet valid', (ca) => ca.issue({ subject, ...future }), notYetValid],
  ['a CA certificate', (ca) => ca.issueIntermediate({ subject }), caCertificate],
  ['a server certificate', (ca) => ca.issue({ subject, eku: 'server' }), wrongPurpose],
  ['an RSA key of 1,024 bits', (ca) => ca.issue({ subject, keyType: 'rsa-1024' }), /RSA key of 1024 bits/],
  [
    'a SHA-1 signature',
    (ca) => ca.issue({ subject, signatureHash: 'SHA-1' }),
    failed('CA signature digest algorithm too weak'),
  ],
  ['an X.509 v1 certificate', (ca) => x509v1(ca, { subject }), /is X\.509 v1; only v3/],
  ['a subject with a NUL', (ca) => ca.issue({ subject: [['CN', Buffer.from('victim\0x')]] }), notComparable],
];

/** Rejected by OpenSSL itself, unless the operator lowered its security level. */
const rejectedBySecurityLevel: [title: string, Mint, reason: RegExp][] = [
  ['an RSA key of 1,024 bits', (ca) => ca.issue({ subject, keyType: 'rsa-1024' }), /RSA key of 1024 bits/],
  ['a SHA-1 signature', (ca) => ca.issue({ subject, signatureHash: 'SHA-1' }), /algorithm that is not accepted/],
];

const form = { lines: ['Content-Type: application/x-www-form-urlencoded'], body: formOf('victim') };
const lowestLevel = 'DEFAULT@SECLEVEL=0';

async function startWith(verifyClient: string, more: [string, string][] = []): Promise<Deployment> {
  const shipped = 'ssl_verify_client optional_no_ca;';
  const directive = verifyClient.startsWith('optional_no_ca') ? 'ssl_trusted_certificate' : 'ssl_client_certificate';
  const deployment = await startDeployment({
    replace: [[shipped, `ssl_verify_client ${verifyClient};`], ['ssl_trusted_certificate ', `${directive} `], ...more],
  });
  await deployment.register({
    client_id: 'victim',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=victim',
  });
  return deployment;
}

async function expectToken(deployment: Deployment, identity: Identity, thumbprint: string) {
  const { response, event } = await deployment.requestToken('victim', { identity });
  expect([response.status, event.event, event.thumbprint]).toEqual([200, 'token_issued', thumbprint]);
}

function expectInvalidClient({ response, event }: Decision, reason: RegExp) {
  expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
  expect(event).toMatchObject({ event: 'token_rejected', reason: expect.stringMatching(reason) });
}

async function expectRejected(deployment: Deployment, identity: Identity | undefined, reason: RegExp) {
  const decision = await deployment.decide(() => deployment.send(form, { identity, ciphers: lowestLevel }));
  expectInvalidClient(decision, reason);
  const { headers, body } = decision.response;
  expect(['cache-control', 'content-type'].map((name) => headers.get(name))).toEqual(['no-store', 'application/json']);
  expect(JSON.parse(body)).toEqual({ error: 'invalid_client', error_description: 'Client authentication failed.' });
}

describeWith(['nginx', 'redis-server'], 'nginx and the server issue no token', () => {
  describe.each(['optional_no_ca', 'optional'])('with ssl_verify_client %s', (verifyClient) => {
    let deployment: Deployment;
    let genuine: MintedCertificate;
    beforeAll(async () => {
      deployment = await startWith(verifyClient);
      genuine = deployment.ca.issue({ subject });
    });
    afterAll(() => deployment?.stop());

    test.each(rejected)('for %s', async (_title, mint, reason) => {
      await expectRejected(deployment, mint(deployment.ca), reason);
      await expectToken(deployment, genuine, genuine.thumbprint);
    });

    // .NET and Java do not present a self-signed certificate to a server that requests one of a certain CA.
    test('and nginx names acceptable CAs only if it rejects others', async () => {
      const { stdout } = await runProgram(programPath('openssl'), [
        ...['s_client', '-connect', `127.0.0.1:${deployment.port}`, '-servername', mtlsHost],
      ]);
      expect(stdout.toString()).toContain('Requested Signature Algorithms');
      expect(stdout.includes('Acceptable client certificate CA names')).toBe(verifyClient === 'optional');
    });

    // nginx forwards only the leaf, so an intermediate is known only if it is configured.
    test('for a certificate by an intermediate until that is configured', async () => {
      const intermediate = deployment.ca.issueIntermediate();
      const leaf = intermediate.issue({ subject });
      const identity = withChain(leaf, intermediate);
      const unknown =
        /chain is not verified: the certificate has no known issuer: "CN=Test intermediate CA" is neither/;
      await expectRejected(deployment, identity, unknown);
      appendFileSync(join(deployment.directory, 'client-ca.pem'), intermediate.pem);
      await deployment.countersign.waitForEvent(({ event }) => event === 'client_ca_reloaded');
      await expectToken(deployment, identity, leaf.thumbprint);
    });
  });

  // nginx checks a certificate by the server block that the request names, and the plain one requests none. Without a
  // comparison of the names, only the checks of Countersign remain.
  describe('if the handshake can name one host and the request another', () => {
    let deployment: Deployment;
    let genuine: MintedCertificate;
    beforeAll(async () => {
      deployment = await startWith('optional_no_ca', [[hostComparison, 'if ($host = nobody.example)']]);
      genuine = deployment.ca.issue({ subject });
    });
    afterAll(() => deployment?.stop());

    const pastNginx: [string, Mint, RegExp][] = [
      ['an expired certificate', (ca) => ca.issue({ subject, ...past }), expired],
      ['a certificate that is not yet valid', (ca) => ca.issue({ subject, ...future }), notYetValid],
      ['a server certificate', (ca) => ca.issue({ subject, eku: 'server' }), wrongPurpose],
      ['a CA certificate', (ca) => ca.issueIntermediate({ subject }), caCertificate],
      ['a self-signed certificate of the same name', () => selfSigned({ subject }), failed('self-signed certificate')],
    ];
    test.each(pastNginx)('for %s', async (_title, mint, reason) => {
      const identity = mint(deployment.ca);
      const route = { host: plainHost, sni: mtlsHost };
      expectInvalidClient(await deployment.requestToken('victim', { ...route, identity }), reason);
      const { response } = await deployment.requestToken('victim', { ...route, identity: genuine });
      expect(response.status).toBe(200);
    });
  });

  describe.each(['optional_no_ca', 'optional'])(
    'with ssl_verify_client %s and OpenSSL security level 0',
    (verifyClient) => {
      let deployment: Deployment;
      beforeAll(async () => {
        deployment = await startWith(verifyClient, [['ssl_ciphers ', 'ssl_ciphers @SECLEVEL=0:']]);
      });
      afterAll(() => deployment?.stop());

      test.each(rejectedBySecurityLevel)('for %s', async (_title, mint, reason) => {
        await expectRejected(deployment, mint(deployment.ca), reason);
        const genuine = deployment.ca.issue({ subject, keyType: 'rsa-2048' });
        await expectToken(deployment, genuine, genuine.thumbprint);
      });
    },
  );
});
