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
  error_description: 'The request header, with the client certificate in it, is larger than 65536 bytes.',
};

describeWith(['nginx', 'redis-server'], 'behind the shipped nginx, a request for a token', () => {
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

  test('succeeds with a certificate of 16 KiB', async () => {
    const identity = ofSize(deployment.ca, 16_384);
    const { response, event } = await deployment.requestToken('victim', { identity });
    expect([response.status, event.event, event.thumbprint]).toEqual([200, 'token_issued', identity.thumbprint]);
  });

  test.each([16_385, 17_000, 45_000])('is rejected with 431 with a certificate of %i bytes', async (size) => {
    const identity = ofSize(deployment.ca, size);
    const { response, event } = await deployment.requestToken('victim', { identity });
    expect([response.status, response.json()]).toEqual([431, certificateTooLarge]);
    expect(event).toMatchObject({
      event: 'token_rejected',
      reason: expect.stringContaining(`the certificate is ${size} bytes long`),
    });
  });

  test.each([60_000, 90_000])(
    'is rejected with 431 before it is parsed with a certificate of %i bytes',
    async (size) => {
      const known = deployment.countersign.lines.length;
      const { response, events } = await sendWith(hugeCertificate(deployment.ca, size, { subject }));
      expect([response.status, response.json(), events]).toEqual([431, headerTooLarge, []]);
      const logged = deployment.countersign.lines.slice(known);
      expect(logged).toContainEqual(expect.objectContaining({ event: 'request_malformed', code: 'header_too_large' }));
    },
  );

  test('succeeds with the largest headers that nginx accepts and the largest certificate', async () => {
    const { response, events } = await sendWith(ofSize(deployment.ca, 16_384), longLines(4).slice(1));
    expect([response.status, events]).toEqual([200, [expect.objectContaining({ event: 'token_issued' })]]);
  });

  test('is rejected with 431 and JSON if the other headers alone are too large', async () => {
    const { response, events } = await sendWith(deployment.ca.issue({ subject }), longLines(5));
    expect([response.status, response.headers.get('content-type'), events]).toEqual([431, 'application/json', []]);
    expect(response.json().error).toBe('invalid_request');
  });
});

/** A certificate of exactly this size in bytes. The length of ECDSA signatures varies, so it can take several attempts. */
function ofSize(ca: TestCa, size: number): MintedCertificate {
  for (let padding = size - 600, tries = 0; tries < 1000; tries++) {
    const extension = { oid: '1.3.6.1.4.1.99999.1', value: der(0x04, Buffer.alloc(padding)) };
    const certificate = ca.issue({ subject, extraExtensions: [extension] });
    if (certificate.der.length === size) return certificate;
    padding += size - certificate.der.length;
  }
  throw new Error(`could not issue a certificate of ${size} bytes`);
}
