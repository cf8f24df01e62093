import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Decision } from '../support/authorization-server.ts';
import { createTestCa, type MintedCertificate, selfSigned, type TestCa } from '../support/certificates.ts';
import { type Deployment, formOf, type Identity, mtlsHost, plainHost, startDeployment } from '../support/deployment.ts';
import { x509v1 } from '../support/der-surgery.ts';
import { describeWith } from '../support/describe-with.ts';
import { programPath } from '../support/program-path.ts';
import { runProgram } from '../support/run-program.ts';

const subject = [['CN', 'victim']] as const;
const HOUR = 3_600_000;
const past = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
const future = { notBefore: new Date(Date.now() + HOUR), notAfter: new Date(Date.now() + 2 * HOUR) };

type Mint = (ca: TestCa) => Identity | undefined;

/** nginx answers by itself: the application saw nothing of it. */
const nginxRefuses = 'nginx refuses';
/** What the audit event says, or that there is none. */
type Outcome = RegExp | typeof nginxRefuses;

const withChain = (leaf: MintedCertificate, ...others: MintedCertificate[]) => ({
  ...leaf,
  pem: [leaf, ...others].map(({ pem }) => pem).join(''),
});
const byIntermediate: Mint = (ca) => ca.issueIntermediate().issue({ subject });
const failed = (text: string) =>
  new RegExp(`^the certificate's chain is not verified: x-ssl-client-verify is "FAILED:${text}`);
const otherSubject = /^the certificate's subject is "CN=other"; registered is "CN=victim"$/;
const notComparable =
  /^the certificate's subject "CN=victim\\00x" cannot match any client: the value of CN contains U\+0000/;

/** Outcomes with `optional_no_ca`, as shipped, and with `optional`. */
const refused: [title: string, Mint, asShipped: Outcome, optional: Outcome][] = [
  [
    'no certificate',
    () => undefined,
    /^no certificate: the terminator forwarded no certificate in x-ssl-client-cert$/,
    /^no certificate: the terminator forwarded no certificate in x-ssl-client-cert$/,
  ],
  ["another client's", (ca) => ca.issue({ subject: [['CN', 'other']] }), otherSubject, otherSubject],
  [
    "another client's, with the victim's behind it in the chain",
    (ca) => withChain(ca.issue({ subject: [['CN', 'other']] }), ca.issue({ subject })),
    otherSubject,
    otherSubject,
  ],
  [
    'one of the same name by another CA',
    () => createTestCa().issue({ subject }),
    failed('unable to verify'),
    nginxRefuses,
  ],
  [
    'one of the same name by another CA of the same name',
    (ca) => createTestCa({ subject: ca.subject }).issue({ subject }),
    failed(''),
    nginxRefuses,
  ],
  [
    'a self-signed one of the same name',
    () => selfSigned({ subject }),
    failed('self-signed certificate'),
    nginxRefuses,
  ],
  ['one by an intermediate that is not sent', byIntermediate, failed('unable to'), nginxRefuses],
  ['an expired one', (ca) => ca.issue({ subject, ...past }), nginxRefuses, nginxRefuses],
  ['one that is not yet valid', (ca) => ca.issue({ subject, ...future }), nginxRefuses, nginxRefuses],
  ['a CA', (ca) => ca.issueIntermediate({ subject }), nginxRefuses, nginxRefuses],
  ["a server's", (ca) => ca.issue({ subject, eku: 'server' }), nginxRefuses, nginxRefuses],
  ['an RSA key of 1,024 bits', (ca) => ca.issue({ subject, keyType: 'rsa-1024' }), nginxRefuses, nginxRefuses],
  ['a SHA-1 signature', (ca) => ca.issue({ subject, signatureHash: 'SHA-1' }), nginxRefuses, nginxRefuses],
  ['X.509 v1', (ca) => x509v1(ca, { subject }), /is X\.509 v1; only v3/, /is X\.509 v1; only v3/],
  [
    'a subject with a NUL',
    (ca) => ca.issue({ subject: [['CN', Buffer.from('victim\0x')]] }),
    notComparable,
    notComparable,
  ],
];

/** What OpenSSL refuses by itself unless an operator has turned its security level off. */
const refusedWithoutLevel: [title: string, Mint, reason: RegExp][] = [
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

async function expectRefused(deployment: Deployment, identity: Identity | undefined, outcome: Outcome) {
  const send = () => deployment.send(form, { identity, ciphers: lowestLevel });
  if (outcome !== nginxRefuses) return expectInvalidClient(await deployment.decide(send), outcome);
  const { response, events } = await deployment.watch(send);
  expect([response.status, response.headers.get('cache-control'), events]).toEqual([400, 'no-store', []]);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.json()).toEqual({ error: 'invalid_client', error_description: 'Client authentication failed.' });
}

describeWith(['nginx', 'redis-server'], 'nginx and the server give no token', () => {
  describe.each(['optional_no_ca', 'optional'])('with ssl_verify_client %s', (verifyClient) => {
    let deployment: Deployment;
    let genuine: MintedCertificate;
    beforeAll(async () => {
      deployment = await startWith(verifyClient);
      genuine = deployment.ca.issue({ subject });
    });
    afterAll(() => deployment?.stop());

    test.each(refused)('for %s', async (_title, mint, asShipped, optional) => {
      const outcome = verifyClient === 'optional' ? optional : asShipped;
      await expectRefused(deployment, mint(deployment.ca), outcome);
      await expectToken(deployment, genuine, genuine.thumbprint);
    });

    // .NET and Java do not show a self-signed certificate to a server that asks for one of a certain CA.
    test('and asks for a certificate of any CA only where it takes any', async () => {
      const { stdout } = await runProgram(programPath('openssl'), [
        ...['s_client', '-connect', `127.0.0.1:${deployment.port}`, '-servername', mtlsHost],
      ]);
      expect(stdout.toString()).toContain('Requested Signature Algorithms');
      expect(stdout.includes('Acceptable client certificate CA names')).toBe(verifyClient === 'optional');
    });

    // nginx forwards the leaf alone, so we know an intermediate only where it is configured.
    test('for an intermediate that is not configured, and one as soon as it is', async () => {
      const intermediate = deployment.ca.issueIntermediate();
      const leaf = intermediate.issue({ subject });
      const identity = withChain(leaf, intermediate);
      const unknown =
        /chain is not verified: the certificate has no known issuer: "CN=Test intermediate CA" is neither/;
      await expectRefused(deployment, identity, unknown);
      appendFileSync(join(deployment.directory, 'client-ca.pem'), intermediate.pem);
      await deployment.countersign.waitForEvent(({ event }) => event === 'client_ca_reloaded');
      await expectToken(deployment, identity, leaf.thumbprint);
    });
  });

  // nginx checks a certificate by the server that the request names, and the plain one asks for none: where nobody
  // compares the names, our own checks are the only ones.
  describe('where the handshake may name one host and the request the other', () => {
    let deployment: Deployment;
    let genuine: MintedCertificate;
    beforeAll(async () => {
      deployment = await startWith('optional_no_ca', [
        ['if ($ssl_server_name != $host)', 'if ($host = nobody.example)'],
      ]);
      genuine = deployment.ca.issue({ subject });
    });
    afterAll(() => deployment?.stop());

    const pastNginx: [string, Mint, RegExp][] = [
      ['an expired one', (ca) => ca.issue({ subject, ...past }), /^the certificate expired at /],
      ['one that is not yet valid', (ca) => ca.issue({ subject, ...future }), /^the certificate is not valid before/],
      ["a server's", (ca) => ca.issue({ subject, eku: 'server' }), /extended key usage lacks clientAuth/],
      ['a CA', (ca) => ca.issueIntermediate({ subject }), /is a CA certificate/],
      ['a self-signed one of the same name', () => selfSigned({ subject }), failed('self-signed certificate')],
    ];
    test.each(pastNginx)('for %s', async (_title, mint, reason) => {
      const identity = mint(deployment.ca);
      const route = { host: plainHost, sni: mtlsHost };
      expectInvalidClient(await deployment.requestToken('victim', { ...route, identity }), reason);
      const { response } = await deployment.requestToken('victim', { ...route, identity: genuine });
      expect(response.status).toBe(200);
    });
  });

  describe.each(['optional_no_ca', 'optional'])('with %s and no security level', (verifyClient) => {
    let deployment: Deployment;
    beforeAll(async () => {
      deployment = await startWith(`${verifyClient}; ssl_ciphers ${lowestLevel}`);
    });
    afterAll(() => deployment?.stop());

    test.each(refusedWithoutLevel)('for %s', async (_title, mint, reason) => {
      await expectRefused(deployment, mint(deployment.ca), reason);
      const genuine = deployment.ca.issue({ subject, keyType: 'rsa-2048' });
      await expectToken(deployment, genuine, genuine.thumbprint);
    });
  });
});
