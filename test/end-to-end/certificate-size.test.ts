import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MintedCertificate, TestCa } from '../support/certificates.ts';
import { type Deployment, formOf, startDeployment } from '../support/deployment.ts';
import { der } from '../support/der.ts';
import { hugeCertificate } from '../support/der-surgery.ts';
import { describeWith } from '../support/describe-with.ts';

const subject = [['CN', 'victim']] as const;
const lines = ['Content-Type: application/x-www-form-urlencoded'];
const body = formOf('victim');
const longLines = (count: number) =>
  Array.from({ length: count }, (_, index) => `X-Long-${index}: ${'x'.repeat(7_900)}`);

const certificateTooLarge = {
  error: 'invalid_request',
  error_description: 'The client certificate is larger than the server accepts.',
};
const headerTooLarge = {
  error: 'invalid_request',
  error_description: 'The request header, with the client certificate in it, is larger than 65536 octets.',
};

describeWith(['nginx', 'redis-server'], 'nginx and the server agree about size', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment();
    await deployment.register({
      client_id: 'victim',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=victim',
    });
  });
  afterAll(() => deployment?.stop());

  const sendWith = (identity: MintedCertificate, more: string[] = []) =>
    deployment.watch(() => deployment.send({ lines: [...lines, ...more], body }, { identity }));

  test('a certificate of 16 KiB gets a token', async () => {
    const identity = ofSize(deployment.ca, 16_384);
    const { response, event } = await deployment.requestToken('victim', { identity });
    expect([response.status, event.event, event.thumbprint]).toEqual([200, 'token_issued', identity.thumbprint]);
  });

  test.each([16_385, 17_000, 45_000])('one of %i octets is refused for its size', async (octets) => {
    const identity = ofSize(deployment.ca, octets);
    const { response, event } = await deployment.requestToken('victim', { identity });
    expect([response.status, response.json()]).toEqual([431, certificateTooLarge]);
    expect(event).toMatchObject({ event: 'token_rejected', reason: `the certificate has ${octets} octets` });
  });

  test.each([60_000, 90_000])('one of %i octets is refused unread: no header holds it', async (octets) => {
    const known = deployment.countersign.lines.length;
    const { response, events } = await sendWith(hugeCertificate(deployment.ca, octets, { subject }));
    expect([response.status, response.json(), events]).toEqual([431, headerTooLarge, []]);
    const said = deployment.countersign.lines.slice(known);
    expect(said).toContainEqual(expect.objectContaining({ event: 'request_malformed', code: 'HPE_HEADER_OVERFLOW' }));
  });

  test('what nginx admits fits, with the largest certificate beside it', async () => {
    const { response, events } = await sendWith(ofSize(deployment.ca, 16_384), longLines(4).slice(1));
    expect([response.status, events]).toEqual([200, [expect.objectContaining({ event: 'token_issued' })]]);
  });

  test('headers that are too large by themselves are refused as clearly', async () => {
    const { response, events } = await sendWith(deployment.ca.issue({ subject }), longLines(5));
    expect([response.status, response.headers.get('content-type'), events]).toEqual([431, 'application/json', []]);
    expect(response.json().error).toBe('invalid_request');
  });
});

/** A certificate of exactly so many octets: an ECDSA signature is now a little longer, now shorter. */
function ofSize(ca: TestCa, octets: number): MintedCertificate {
  for (let padding = octets - 600, tries = 0; tries < 1000; tries++) {
    const extension = { oid: '1.3.6.1.4.1.99999.1', value: der(0x04, Buffer.alloc(padding)) };
    const certificate = ca.issue({ subject, extraExtensions: [extension] });
    if (certificate.der.length === octets) return certificate;
    padding += octets - certificate.der.length;
  }
  throw new Error(`no certificate of ${octets} octets`);
}
