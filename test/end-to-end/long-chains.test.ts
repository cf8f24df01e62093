import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HeaderFormat } from '../../src/terminator/format.ts';
import { headerFormats } from '../../src/terminator/formats.ts';
import { chainBelow } from '../support/ca-chain.ts';
import { createTestCa, type MintedCertificate, type TestCa } from '../support/certificates.ts';
import { type Deployment, type Identity, mtlsHost, plainHost, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { freePort } from '../support/free-port.ts';
import { echoedValues, type HeaderEcho, startHeaderEcho } from '../support/header-echo.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { sendRequest } from '../support/raw-http.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type ShippedTerminator, type TerminatorName, terminators } from '../support/terminators.ts';

/** PKIs of governments and of large companies have four or five levels; the server accepts six CA certificates. */
const levels = Array.from({ length: 5 }, (_, index) => ({ subject: [['CN', `Issuing ${index + 1}`]] as const }));
const { cas, last } = chainBelow(createTestCa({ subject: [['CN', 'Root']] }), levels);
const serverCa = createTestCa();

const withChain = (leaf: MintedCertificate, chain: readonly TestCa[]): Identity => ({
  pem: [leaf, ...chain.toReversed()].map(({ pem }) => pem).join(''),
  privateKeyPem: leaf.privateKeyPem,
});

interface Trust {
  /** The content of `client-ca.pem`. */
  readonly trusted: readonly TestCa[];
}

/** What the application receives through a terminator for each of these clients. */
async function forwardedFor(
  name: TerminatorName,
  echo: HeaderEcho,
  identities: readonly Identity[],
  { trusted }: Trust,
): Promise<HttpResponse[]> {
  const { start }: ShippedTerminator = terminators[name];
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'client-ca.pem'), trusted.map(({ pem }) => pem).join(''));
  for (const host of [plainHost, mtlsHost]) serverCa.issue({ eku: 'server', dns: [host] }).writeTo(directory, host);
  const port = await freePort();
  const terminator = await start({ directory, port, socket: echo.url });
  const responses = identities.map(({ pem, privateKeyPem }) => {
    const tls = { ca: serverCa.pem, servername: mtlsHost, cert: pem, key: privateKeyPem };
    return sendRequest(`https://127.0.0.1:${port}`, { method: 'GET', lines: [`Host: ${mtlsHost}`] }, { tls });
  });
  return Promise.all(responses).finally(terminator.stop);
}

function expectVerified(name: TerminatorName, leaf: MintedCertificate, response: HttpResponse | undefined) {
  const { certificateHeader, decode, verification }: HeaderFormat = headerFormats[name];
  if (!response) throw new Error('no response');
  expect(response.status).toBe(200);
  const [value = ''] = echoedValues(response, certificateHeader);
  expect(Buffer.from(decode(value).leaf).equals(leaf.der)).toBe(true);
  for (const { header, successValue } of verification) expect(echoedValues(response, header)).toEqual([successValue]);
}

for (const name of Object.keys(terminators) as TerminatorName[]) {
  const { program }: ShippedTerminator = terminators[name];

  describeWith([program], `the shipped configuration of ${name}`, () => {
    let echo: HeaderEcho;
    beforeAll(async () => {
      echo = await startHeaderEcho();
    });
    afterAll(() => echo?.stop());

    test('verifies a certificate with five intermediates that the client presents', async () => {
      const leaf = last.issue();
      const identity = withChain(leaf, cas.slice(1));
      const [response] = await forwardedFor(name, echo, [identity], { trusted: cas.slice(0, 1) });
      expectVerified(name, leaf, response);
    });

    test('verifies a certificate with five intermediates in its own file', async () => {
      const leaf = last.issue();
      // Caddy 2.6 reads only the first certificate of a file.
      const trusted = name === 'caddy' ? cas.toReversed() : cas;
      const [response] = await forwardedFor(name, echo, [leaf], { trusted });
      expectVerified(name, leaf, response);
    });

    test('verifies the clients of two CAs', async () => {
      const [first, second] = [createTestCa({ subject: [['CN', 'A']] }), createTestCa({ subject: [['CN', 'B']] })];
      const leaves = [first.issue(), second.issue()];
      const responses = await forwardedFor(name, echo, leaves, { trusted: [first, second] });
      for (const [index, leaf] of leaves.entries()) expectVerified(name, leaf, responses[index]);
    });
  });
}

describeWith(['nginx', 'redis-server'], 'behind the shipped nginx', () => {
  const client = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=deep' };
  const subject = { subject: [['CN', 'deep']] as const };
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment();
    await deployment.register({ client_id: 'deep', ...client });
  });
  afterAll(() => deployment?.stop());

  test('a client with five intermediates gets a token, and one with six the exact reason in the audit log', async () => {
    const { cas: own, last: tooLong } = chainBelow(deployment.ca, [...levels, { subject: [['CN', 'Issuing 6']] }]);
    const configured = own.slice(1).map(({ pem }) => pem);
    appendFileSync(join(deployment.directory, 'client-ca.pem'), configured.join(''));
    await deployment.countersign.waitForEvent(({ event }) => event === 'client_ca_reloaded');
    const leaf = own[5]?.issue(subject);
    if (!leaf) throw new Error('there are six CAs');
    const granted = await deployment.requestToken('deep', { identity: withChain(leaf, own.slice(1, 6)) });
    expect([granted.response.status, granted.event.event]).toEqual([200, 'token_issued']);
    const identity = withChain(tooLong.issue(subject), own.slice(1));
    const { response, event } = await deployment.requestToken('deep', { identity });
    expect([response.status, event.reason]).toEqual([400, expect.stringMatching(/within 6 CA certificates/)]);
  });
});
