import { expect, test } from 'vitest';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import {
  acceptedForgeries,
  runDoctor,
  runProbe,
  startProbedDeploymentForTest,
  withoutCertificate,
} from '../support/doctor.ts';
import { hostComparison } from '../support/nginx.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** The server trusts the verification of the proxy. */
const verifiedByHeader = { COUNTERSIGN_CHAIN_VERIFIED_BY: 'header', COUNTERSIGN_CLIENT_CA_FILE: '' };

describeWith(['nginx', 'redis-server'], 'countersign doctor finds', () => {
  /** A location of its own inherits no proxy_set_header. */
  const withoutOverwriting = 'location = /token { proxy_pass http://countersign; proxy_set_header Host $host; }';
  const token = (host: string) => [`server_name ${host};`, `server_name ${host}; ${withoutOverwriting}`] as const;

  test('a location of nginx that does not overwrite the headers', async () => {
    const deployment = await startProbedDeploymentForTest({ replace: [token(plainHost)] });
    const { code, report } = await runProbe(deployment);
    expect([code, report.conclusion]).toEqual([3, 'vulnerable']);
    expect(acceptedForgeries(report).map(({ route }) => route)).not.toContain('mutual_tls');
    const names = new Set(acceptedForgeries(report).map(({ forgery }) => forgery));
    expect(names).toContain('exact');
    expect(names).toContain('upper_case');
    expect(names).not.toContain('underscores');
    expect(report.problems).toEqual([
      expect.stringMatching(
        /^the forged certificate was accepted \(as the proxy writes it; .*auth\.example.*include forward-to-countersign\.conf/,
      ),
    ]);
    const { code: again, stdout } = await runDoctor(deployment);
    expect(again).toBe(3);
    const [atMutualTls = '', atIssuer = ''] = stdout.split('A forged certificate at ').slice(1);
    expect(atMutualTls).toMatch(/as the proxy writes it +removed +removed/);
    expect(atIssuer).toMatch(/as the proxy writes it +ACCEPTED +ACCEPTED/);
    expect(stdout).toMatch(/\nVulnerable: \d+ of \d+ forgeries were accepted; 1 problem to fix, see above\.\n$/);
  });

  test('a location of nginx at the mutual TLS host that does not overwrite the headers', async () => {
    const deployment = await startProbedDeploymentForTest({ replace: [token(mtlsHost)] });
    const { code, report } = await runProbe(deployment);
    expect(code).toBe(3);
    expect(acceptedForgeries(report).map(({ route }) => route)).toContain('mutual_tls');
    expect(report.problems).toContainEqual(
      expect.stringMatching(
        /does not forward the one presented.*\. Fix: .*x-ssl-client-cert .*forward-to-countersign\.conf/,
      ),
    );
  });

  test('a verification header that clients can set', async () => {
    const verify = 'proxy_set_header X-SSL-Client-Verify $ssl_client_verify;';
    const deployment = await startProbedDeploymentForTest({ replace: [[verify, '']], env: verifiedByHeader });
    const { code, report } = await runProbe({ ...deployment, client: selfSigned() });
    expect(code).toBe(3);
    const { detail, certificate } =
      acceptedForgeries(report).find(({ forgery }) => forgery === 'verification_alone') ?? {};
    expect([certificate, detail]).toEqual([
      'own',
      expect.stringContaining('was accepted as verified: x-ssl-client-verify'),
    ]);
  });

  test('a default server that trusts another CA', async () => {
    const other = createTestCa();
    const folder = temporaryDirectory();
    const { cert } = other.writeTo(folder, 'other-ca');
    const server = createTestCa().issue({ eku: 'server' }).writeTo(folder, 'server');
    const deployment = await startProbedDeploymentForTest({
      env: verifiedByHeader,
      replace: [
        [
          'ssl_reject_handshake on;',
          `ssl_certificate ${server.cert}; ssl_certificate_key ${server.key};
           ssl_client_certificate ${cert}; ssl_verify_client optional;`,
        ],
        [hostComparison, 'if ($host = unused)'],
      ],
    });
    const { code, report } = await runProbe({ ...deployment, client: other.issue() });
    expect(code).toBe(3);
    expect(report.problems).toContainEqual(
      expect.stringMatching(
        /^without any forgery, no name in the handshake: the chain of your certificate was accepted as verified/,
      ),
    );
    expect(acceptedForgeries(report)).toEqual([]);
  });

  test.each([
    [
      'haproxy',
      /the server rejects your certificate as the proxy forwards it: .*this looks like nginx's encoding.*\. Fix: set COUNTERSIGN_TERMINATOR=nginx/,
    ],
    [
      'rfc9440',
      /forwards your certificate in X-SSL-Client-Cert, .*the server reads client-cert\. Fix: set COUNTERSIGN_TERMINATOR=nginx/,
    ],
  ])('a server that is configured for %s', async (format, problem) => {
    const deployment = await startProbedDeploymentForTest({ env: { COUNTERSIGN_TERMINATOR: format } });
    const { code, report } = await runProbe(deployment);
    expect([code, report.problems]).toEqual([3, [expect.stringMatching(problem)]]);
    expect(acceptedForgeries(report)).toEqual([]);
  });

  test.each([
    ['does not send', 'X-Countersign-Proxy-Secret "";', 'the proxy sent no x-countersign-proxy-secret'],
    ['sends another of', `X-Countersign-Proxy-Secret ${'n'.repeat(64)};`, 'does not match COUNTERSIGN_PROXY_SECRET'],
  ])('a proxy that %s the secret', async (_, line, reason) => {
    const secret = 's'.repeat(64);
    const deployment = await startProbedDeploymentForTest({
      env: { COUNTERSIGN_PROXY_SECRET: secret },
      replace: [['X-Countersign-Proxy-Secret "";', line]],
    });
    const { code, stdout, report } = await runProbe(deployment);
    expect([code, report.problems]).toEqual([
      3,
      [
        expect.stringMatching(
          `^the server does not trust this proxy: .*${reason}.* Fix: configure the proxy to set x-countersign`,
        ),
      ],
    ]);
    expect(stdout).not.toContain(secret);
    expect(stdout).not.toContain('n'.repeat(64));
  });

  test('a proxy that does not request a certificate', async () => {
    const deployment = await startProbedDeploymentForTest({
      replace: [['ssl_verify_client optional_no_ca;', 'ssl_verify_client off;']],
    });
    const { code, report } = await runProbe(deployment, withoutCertificate);
    expect([code, report.problems]).toEqual([
      3,
      [expect.stringMatching(/does not request a client certificate at .*ssl_verify_client.*COUNTERSIGN_MTLS_URL/)],
    ]);
  });
});

describeWith(['envoy', 'redis-server'], 'countersign doctor finds', () => {
  test('a proxy that accepts any certificate but is declared to verify', async () => {
    const deployment = await startProbedDeploymentForTest({
      terminator: 'envoy',
      // With the shipped one, the server rejects every certificate.
      replace: [['{ key: x-ssl-client-verify, value: FAILED }', '{ key: x-other, value: FAILED }']],
      env: {
        COUNTERSIGN_CHAIN_VERIFIED_BY: 'terminator',
        COUNTERSIGN_CLIENT_CA_FILE: '',
        COUNTERSIGN_VERIFY_HEADER: '',
      },
    });
    const { code, report } = await runProbe(deployment);
    const problem = expect.stringMatching(
      /^the chain of a self-signed certificate generated for this run is accepted as verified/,
    );
    expect([code, report.problems]).toEqual([3, [problem]]);
  });
});

describeWith(['nginx', 'redis-server'], 'countersign doctor', () => {
  test('concludes incomplete when a proxy that verifies chains rejects a generated certificate', async () => {
    const deployment = await startProbedDeploymentForTest({
      replace: [
        ['ssl_trusted_certificate ', 'ssl_client_certificate '],
        ['ssl_verify_client optional_no_ca;', 'ssl_verify_client on;'],
        // The shipped file forwards what nginx does not accept.
        ['error_page 495 496 =    @countersign_certificate;', 'error_page 495 496 =400 /countersign-error/request;'],
      ],
    });
    const rejected = await runProbe(deployment, withoutCertificate);
    expect([rejected.code, rejected.report.conclusion, rejected.report.problems]).toEqual([1, 'incomplete', []]);
    expect(rejected.report.notes).toContainEqual(
      expect.stringMatching(/^the proxy rejects the certificate generated for this run \(HTTP 400.*--cert and --key/),
    );
    const given = await runProbe({ ...deployment, client: selfSigned() });
    expect([given.code, given.report.problems]).toEqual([
      3,
      [expect.stringMatching(/^the proxy rejects your certificate at .*: HTTP 400.*ssl_client_certificate/)],
    ]);
  });
});

describeWith(['nginx', 'redis-server'], 'countersign doctor', () => {
  test.each([403, 429, 503])('concludes incomplete when the proxy limits requests with status %i', async (status) => {
    const zone = `limit_req_zone $binary_remote_addr zone=all:1m rate=1r/s; limit_req_status ${status};`;
    const limit = `server_name ${plainHost}; limit_req zone=all burst=60 nodelay;`;
    const deployment = await startProbedDeploymentForTest({
      replace: [
        ['upstream countersign {', `${zone} upstream countersign {`],
        [`server_name ${plainHost};`, limit],
      ],
    });
    const { code, report } = await runProbe(deployment);
    expect([code, report.conclusion, report.problems]).toEqual([1, 'incomplete', []]);
    expect(report.notes).toContainEqual(
      expect.stringMatching(new RegExp(`^after the forgeries, .*HTTP ${status}.*exempt this machine`)),
    );
    expect(report.notes.join()).not.toContain('--operations');
  });
});
