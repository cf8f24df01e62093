import { describe, expect, test } from 'vitest';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { examine, runDoctor, startPatientOnce, withoutCertificate } from '../support/doctor.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const otherCa = () => createTestCa().writeTo(temporaryDirectory(), 'other').cert;
const sent = 'proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;';
const given = ['with a certificate', {}] as const;
const made = ['without one', withoutCertificate] as const;

describeWith(['nginx', 'redis-server'], 'the doctor explains', () => {
  test('a proxy that verifies to another CA', async () => {
    const patient = await startPatientOnce({
      replace: [
        ['ssl_trusted_certificate /etc/nginx/countersign/client-ca.pem', `ssl_trusted_certificate ${otherCa()}`],
      ],
    });
    const { code, examination } = await examine(patient);
    expect([code, examination.conclusion, examination.problems]).toEqual([
      2,
      'wrong',
      [expect.stringMatching(/^the chain of your certificate is not verified \(x-ssl-client-verify is "FAILED:/)],
    ]);
    expect(examination.problems[0]).toMatch(/Mend: .*ssl_trusted_certificate.*COUNTERSIGN_CLIENT_CA_FILE/);
  });

  test('a server that verifies to another CA', async () => {
    const patient = await startPatientOnce({ env: { COUNTERSIGN_CLIENT_CA_FILE: otherCa() } });
    const { code, examination } = await examine(patient);
    expect([code, examination.problems]).toEqual([
      2,
      [expect.stringMatching(/^the chain of your certificate is not verified \(.*Mend: .*COUNTERSIGN_CLIENT_CA_FILE$/)],
    ]);
  });

  test.each([given, made])('a PEM that is forwarded as it is, %s', async (_, more) => {
    const patient = await startPatientOnce({ replace: [[sent, sent.replace('_escaped', '')]] });
    const { code, examination } = await examine(patient, more);
    expect([code, examination.problems]).toEqual([
      2,
      [expect.stringMatching(/^the server refuses a request with .* unread, .*line feeds.*\$ssl_client_escaped_cert/)],
    ]);
    expect(patient.countersign.lines).toContainEqual(expect.objectContaining({ event: 'request_malformed' }));
  });

  test.each([given, made])('a certificate in a field of another name, %s', async (_, more) => {
    const patient = await startPatientOnce({ replace: [[sent, sent.replace('X-SSL-Client-Cert', 'X-Client-Pem')]] });
    const { code, examination } = await examine(patient, more);
    expect(code).toBe(2);
    expect(examination.problems).toContainEqual(
      expect.stringMatching(
        /forwards .* in X-Client-Pem, .* reads x-ssl-client-cert\. Mend: .*set COUNTERSIGN_CERTIFICATE_HEADER=x-client-pem$/,
      ),
    );
    expect(examination.problems.join()).not.toContain('buffer');
  });

  test('a mutual TLS URL that the server was not told', async () => {
    const patient = await startPatientOnce({ env: { COUNTERSIGN_MTLS_URL: '' } });
    const { code, examination } = await examine(patient);
    expect([code, examination.problems]).toEqual([
      2,
      [expect.stringMatching(/^the proxy does not ask .*set COUNTERSIGN_MTLS_URL, which is not set/)],
    ]);
  });

  test('a certificate of its own as one that was made', async () => {
    const { stdout } = await runDoctor(await startPatientOnce(), withoutCertificate);
    expect(stdout).toMatch(
      /X-SSL-Client-Cert +\d+ octets +the certificate that was made for this run, as nginx writes/,
    );
    expect(stdout).not.toContain('your certificate');
  });
});

describe('the doctor does not call it sound', () => {
  describeWith(['nginx', 'redis-server'], 'with nginx', () => {
    test('with a certificate that has expired', async () => {
      const patient = await startPatientOnce();
      const client = patient.ca.issue({
        notAfter: new Date('2026-01-01T00:00:00Z'),
        notBefore: new Date('2025-01-01'),
      });
      const { code, examination } = await examine({ ...patient, client });
      expect([code, examination.conclusion, examination.problems]).toEqual([1, 'incomplete', []]);
      expect(examination.notes).toContainEqual(
        expect.stringMatching(
          /^your certificate, .*patient\.pem, expired on 2026-01-01T00:00:00\.000Z; it did not arrive \(HTTP 400/,
        ),
      );
    });
  });

  describeWith(['envoy', 'redis-server'], 'with Envoy', () => {
    test('when it refuses what was made for the run', async () => {
      const { code, examination } = await examine(await startPatientOnce({ terminator: 'envoy' }), withoutCertificate);
      expect([code, examination.conclusion, examination.problems]).toEqual([1, 'incomplete', []]);
      expect(examination.notes).toContainEqual(
        expect.stringMatching(/^the proxy refuses the certificate that was made/),
      );
    });

    test('when it refuses a self-signed one that was given', async () => {
      const patient = await startPatientOnce({ terminator: 'envoy' });
      const { code, examination } = await examine({ ...patient, client: selfSigned() });
      expect([code, examination.problems]).toEqual([2, [expect.stringMatching(/Mend: tell the proxy .*trusted_ca/)]]);
    });
  });
});

describeWith(['nginx', 'redis-server'], 'the doctor says in one line that nothing arrived', () => {
  test('at a proxy that does not reach the server', async () => {
    const patient = await startPatientOnce({
      replace: [['server unix:/run/countersign/countersign.sock', 'server unix:/nowhere/countersign.sock']],
    });
    const { code, stderr } = await runDoctor(patient);
    expect(code).toBe(1);
    expect(stderr).toContain(`does not reach Countersign at ${patient.url}. Is the address or path right`);
    expect(stderr).toMatch(/The answers were: HTTP 503 temporarily_unavailable\n$/);
    expect(stderr.length).toBeLessThan(500);
  });

  test('through a proxy that removes the field by which the server knows its requests', async () => {
    const cleared = 'proxy_set_header X-Countersign-Proxy-Secret "";';
    const patient = await startPatientOnce({
      replace: [[cleared, `${cleared} proxy_set_header X-Countersign-Doctor "";`]],
    });
    const { code, stderr } = await runDoctor(patient);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/the proxy removes x-countersign-doctor.*let it pass/)]);
  });

  test('at a proxy whose own certificate is for other names, and no other CA would help', async () => {
    const [from, to] = ['auth.example.pem', 'mtls.auth.example.pem'].map((name) => `/etc/nginx/countersign/${name}`);
    const ownKey = (path: string | undefined) => `ssl_certificate_key ${path?.replace('.pem', '-key.pem')};`;
    const patient = await startPatientOnce({
      replace: [
        [`ssl_certificate     ${from};`, `ssl_certificate ${to};`],
        [ownKey(from), ownKey(to)],
      ],
    });
    const { code, stderr } = await runDoctor(patient);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/of auth\.example at .* is for other names: .*mtls\.auth\.example/),
    ]);
    expect(stderr).not.toContain('--cacert');
  });
});

describeWith(['haproxy', 'redis-server'], 'the doctor, HAProxy that writes a field of another format itself', () => {
  test('does not say that it came from a client', async () => {
    const own = 'http-request set-header X-Client-Cert-Present %[uuid()]';
    const { code, examination } = await examine(
      await startPatientOnce({
        terminator: 'haproxy',
        replace: [['    default_backend countersign', `    ${own}\n    default_backend countersign`]],
      }),
    );
    expect([code, examination.problems]).toEqual([0, []]);
    expect(examination.arrivals[0]?.observation?.fields).toContainEqual(
      expect.objectContaining({ name: 'x-client-cert-present' }),
    );
    expect(examination.notes.join()).not.toContain('passes on what clients send');
  });
});
