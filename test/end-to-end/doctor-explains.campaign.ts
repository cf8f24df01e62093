import { describe, expect, test } from 'vitest';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { runDoctor, runProbe, startProbedDeploymentForTest, withoutCertificate } from '../support/doctor.ts';
import type { ShippedTerminatorOptions } from '../support/shipped-terminator.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const otherCa = () => createTestCa().writeTo(temporaryDirectory(), 'other').cert;
const forwarded = 'proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;';
const given = ['with a certificate', {}] as const;
const generated = ['with a generated one', withoutCertificate] as const;

describeWith(['nginx', 'redis-server'], 'countersign doctor explains', () => {
  test('a proxy that trusts another CA', async () => {
    const deployment = await startProbedDeploymentForTest({
      replace: [
        ['ssl_trusted_certificate /etc/nginx/countersign/client-ca.pem', `ssl_trusted_certificate ${otherCa()}`],
      ],
    });
    const { code, report } = await runProbe(deployment);
    expect([code, report.conclusion, report.problems]).toEqual([
      3,
      'vulnerable',
      [expect.stringMatching(/^the chain of your certificate is not verified \(x-ssl-client-verify is "FAILED:/)],
    ]);
    expect(report.problems[0]).toMatch(/Fix: .*ssl_trusted_certificate.*COUNTERSIGN_CLIENT_CA_FILE/);
  });

  test('a server that trusts another CA', async () => {
    const deployment = await startProbedDeploymentForTest({ env: { COUNTERSIGN_CLIENT_CA_FILE: otherCa() } });
    const { code, report } = await runProbe(deployment);
    expect([code, report.problems]).toEqual([
      3,
      [expect.stringMatching(/^the chain of your certificate is not verified \(.*Fix: .*COUNTERSIGN_CLIENT_CA_FILE$/)],
    ]);
  });

  test.each([given, generated])('a PEM that is forwarded unencoded, %s', async (_, more) => {
    const deployment = await startProbedDeploymentForTest({
      replace: [[forwarded, forwarded.replace('_escaped', '')]],
    });
    const { code, report } = await runProbe(deployment, more);
    expect([code, report.problems]).toEqual([
      3,
      [
        expect.stringMatching(
          /^the server rejects a request with .* as malformed HTTP, .*line feeds.*\$ssl_client_escaped_cert/,
        ),
      ],
    ]);
    expect(deployment.countersign.lines).toContainEqual(expect.objectContaining({ event: 'request_malformed' }));
  });

  test.each([given, generated])('a certificate in a field with another name, %s', async (_, more) => {
    const deployment = await startProbedDeploymentForTest({
      replace: [[forwarded, forwarded.replace('X-SSL-Client-Cert', 'X-Client-Pem')]],
    });
    const { code, report } = await runProbe(deployment, more);
    expect(code).toBe(3);
    expect(report.problems).toContainEqual(
      expect.stringMatching(
        /forwards .* in X-Client-Pem, .* reads x-ssl-client-cert\. Fix: .*set COUNTERSIGN_CERTIFICATE_HEADER=x-client-pem$/,
      ),
    );
    expect(report.problems.join()).not.toContain('buffer');
  });

  test('a mutual TLS URL that is not configured', async () => {
    const deployment = await startProbedDeploymentForTest({ env: { COUNTERSIGN_MTLS_URL: '' } });
    const { code, report } = await runProbe(deployment);
    expect([code, report.problems]).toEqual([
      3,
      [expect.stringMatching(/^the proxy does not request .*set COUNTERSIGN_MTLS_URL, which is not set/)],
    ]);
  });

  test('that a certificate was generated', async () => {
    const { stdout } = await runDoctor(await startProbedDeploymentForTest(), withoutCertificate);
    expect(stdout).toMatch(/X-SSL-Client-Cert +\d+ bytes +the certificate generated for this run, as nginx writes/);
    expect(stdout).not.toContain('your certificate');
  });
});

describe('countersign doctor concludes incomplete or vulnerable', () => {
  describeWith(['nginx', 'redis-server'], 'with nginx', () => {
    test('when the certificate has expired', async () => {
      const deployment = await startProbedDeploymentForTest();
      const client = deployment.ca.issue({
        notAfter: new Date('2026-01-01T00:00:00Z'),
        notBefore: new Date('2025-01-01'),
      });
      const { code, report } = await runProbe({ ...deployment, client });
      expect([code, report.conclusion, report.problems]).toEqual([1, 'incomplete', []]);
      expect(report.notes).toContainEqual(
        expect.stringMatching(/^your certificate .*billing\.pem expired on 2026-01-01T00:00:00\.000Z/),
      );
    });

    test('when the certificate has expired, and nginx does not forward it', async () => {
      const forwards = 'error_page 495 496 =    @countersign_certificate;';
      const deployment = await startProbedDeploymentForTest({
        replace: [[forwards, 'error_page 495 496 =400 /countersign-error/request;']],
      });
      const client = deployment.ca.issue({
        notAfter: new Date('2026-01-01T00:00:00Z'),
        notBefore: new Date('2025-01-01'),
      });
      const { code, report } = await runProbe({ ...deployment, client });
      expect([code, report.conclusion, report.problems]).toEqual([1, 'incomplete', []]);
      expect(report.notes).toContainEqual(
        expect.stringMatching(
          /^your certificate .*billing\.pem expired on 2026-01-01T00:00:00\.000Z; it did not arrive \(HTTP 400/,
        ),
      );
    });
  });

  describeWith(['envoy', 'redis-server'], 'with Envoy', () => {
    // The shipped file forwards every certificate.
    const verifies: ShippedTerminatorOptions['replace'] = [['trust_chain_verification: ACCEPT_UNTRUSTED', '']];
    test('when the proxy rejects a generated certificate', async () => {
      const { code, report } = await runProbe(
        await startProbedDeploymentForTest({ terminator: 'envoy', replace: verifies }),
        withoutCertificate,
      );
      expect([code, report.conclusion, report.problems]).toEqual([1, 'incomplete', []]);
      expect(report.notes).toContainEqual(expect.stringMatching(/^the proxy rejects the certificate generated/));
    });

    test('when the proxy rejects a given self-signed certificate', async () => {
      const deployment = await startProbedDeploymentForTest({ terminator: 'envoy', replace: verifies });
      const { code, report } = await runProbe({ ...deployment, client: selfSigned() });
      expect([code, report.problems]).toEqual([3, [expect.stringMatching(/Fix: add the CA .*trusted_ca/)]]);
    });
  });
});

describeWith(['nginx', 'redis-server'], 'countersign doctor reports in one line that nothing arrived', () => {
  test('through a proxy that does not reach the server', async () => {
    const deployment = await startProbedDeploymentForTest({
      replace: [['server unix:/run/countersign/countersign.sock', 'server unix:/nowhere/countersign.sock']],
    });
    const { code, stderr } = await runDoctor(deployment);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `does not reach Countersign at ${deployment.url}. Check that the address or path is correct`,
    );
    expect(stderr).toMatch(/Responses: HTTP 503 temporarily_unavailable\n$/);
    expect(stderr.length).toBeLessThan(500);
  });

  test('through a proxy that removes the field by which the server recognizes its requests', async () => {
    const cleared = 'proxy_set_header X-Countersign-Proxy-Secret "";';
    const deployment = await startProbedDeploymentForTest({
      replace: [[cleared, `${cleared} proxy_set_header X-Countersign-Doctor "";`]],
    });
    const { code, stderr } = await runDoctor(deployment);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/the proxy removes x-countersign-doctor.*pass this field/),
    ]);
  });

  test('through a proxy whose own certificate is for other names, without advice about CAs', async () => {
    const [from, to] = ['auth.example.pem', 'mtls.auth.example.pem'].map((name) => `/etc/nginx/countersign/${name}`);
    const ownKey = (path: string | undefined) => `ssl_certificate_key ${path?.replace('.pem', '-key.pem')};`;
    const deployment = await startProbedDeploymentForTest({
      replace: [
        [`ssl_certificate     ${from};`, `ssl_certificate ${to};`],
        [ownKey(from), ownKey(to)],
      ],
    });
    const { code, stderr } = await runDoctor(deployment);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/of auth\.example at .* is for other names: .*mtls\.auth\.example/),
    ]);
    expect(stderr).not.toContain('--cacert');
  });
});

describeWith(
  ['haproxy', 'redis-server'],
  'countersign doctor with HAProxy that writes a field of another format itself',
  () => {
    test('does not attribute the field to clients', async () => {
      const own = 'http-request set-header X-Client-Cert-Present %[uuid()]';
      const { code, report } = await runProbe(
        await startProbedDeploymentForTest({
          terminator: 'haproxy',
          replace: [['    default_backend countersign', `    ${own}\n    default_backend countersign`]],
        }),
      );
      expect([code, report.problems]).toEqual([0, []]);
      expect(report.baseline[0]?.observation?.fields).toContainEqual(
        expect.objectContaining({ name: 'x-client-cert-present' }),
      );
      expect(report.notes.join()).not.toContain('that clients send');
    });
  },
);
