import { expect, test } from 'vitest';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { examine, passedIn, runDoctor, startPatientOnce, withoutCertificate } from '../support/doctor.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** What the proxy says of the chain counts: we do not verify it ourselves. */
const believesVerdict = { COUNTERSIGN_CHAIN_VERIFIED_BY: 'header', COUNTERSIGN_CLIENT_CA_FILE: '' };

describeWith(['nginx', 'redis-server'], 'the doctor catches', () => {
  /** A location that somebody added, and in which nothing of the server's own is set any more. */
  const forgetful = 'location = /token { proxy_pass http://countersign; proxy_set_header Host $host; }';
  const token = (host: string) => [`server_name ${host};`, `server_name ${host}; ${forgetful}`] as const;

  test('a location of nginx that does not overwrite the headers', async () => {
    const patient = await startPatientOnce({ replace: [token(plainHost)] });
    const { code, examination } = await examine(patient);
    expect([code, examination.conclusion]).toEqual([2, 'wrong']);
    expect(passedIn(examination).map(({ route }) => route)).not.toContain('mutual_tls');
    const names = new Set(passedIn(examination).map(({ forgery }) => forgery));
    expect(names).toContain('exact');
    expect(names).toContain('upper_case');
    expect(names).not.toContain('underscores');
    expect(examination.problems).toEqual([
      expect.stringMatching(
        /^the forged certificate was believed \(as the proxy writes it; .*auth\.example.*include forward-to-countersign\.conf/,
      ),
    ]);
    const { code: again, stdout } = await runDoctor(patient);
    expect(again).toBe(2);
    const [atMutualTls = '', atIssuer = ''] = stdout.split('A forged certificate at ').slice(1);
    expect(atMutualTls).toMatch(/as the proxy writes it +removed +removed/);
    expect(atIssuer).toMatch(/as the proxy writes it +THROUGH +THROUGH/);
    expect(stdout).toMatch(/\nWrong: \d+ of \d+ forgeries got through; 1 to fix, as said above\.\n$/);
  });

  test('the same at the mutual TLS host, where the own certificate does not arrive either', async () => {
    const patient = await startPatientOnce({ replace: [token(mtlsHost)] });
    const { code, examination } = await examine(patient);
    expect(code).toBe(2);
    expect(passedIn(examination).map(({ route }) => route)).toContain('mutual_tls');
    expect(examination.problems).toContainEqual(
      expect.stringMatching(
        /forwards nothing of the one it got.*\. Mend: .*x-ssl-client-cert .*forward-to-countersign\.conf/,
      ),
    );
  });

  test('a verdict that clients may write', async () => {
    const verify = 'proxy_set_header X-SSL-Client-Verify $ssl_client_verify;';
    const patient = await startPatientOnce({ replace: [[verify, '']], env: believesVerdict });
    const { code, examination } = await examine({ ...patient, client: selfSigned() });
    expect(code).toBe(2);
    const { detail, certificate } = passedIn(examination).find(({ forgery }) => forgery === 'verdict_alone') ?? {};
    expect([certificate, detail]).toEqual(['own', expect.stringContaining('counts as verified: x-ssl-client-verify')]);
  });

  test('a default server that verifies to another CA', async () => {
    const other = createTestCa();
    const folder = temporaryDirectory();
    const { cert } = other.writeTo(folder, 'other-ca');
    const server = createTestCa().issue({ eku: 'server' }).writeTo(folder, 'server');
    const patient = await startPatientOnce({
      env: believesVerdict,
      replace: [
        [
          'ssl_reject_handshake on;',
          `ssl_certificate ${server.cert}; ssl_certificate_key ${server.key};
           ssl_client_certificate ${cert}; ssl_verify_client optional;`,
        ],
        ['if ($ssl_server_name != $host)', 'if ($host = nobody)'],
      ],
    });
    const { code, examination } = await examine({ ...patient, client: other.issue() });
    expect(code).toBe(2);
    expect(examination.problems).toContainEqual(
      expect.stringMatching(
        /^nothing forged, no name in the handshake: the chain of your certificate counts as verified/,
      ),
    );
    expect(passedIn(examination)).toEqual([]);
  });

  test.each([
    [
      'haproxy',
      /the server refuses what the proxy forwards of your certificate: .*this looks like nginx's encoding.*\. Mend: set COUNTERSIGN_TERMINATOR=nginx/,
    ],
    [
      'rfc9440',
      /forwards your certificate in X-SSL-Client-Cert, .*the server reads client-cert\. Mend: set COUNTERSIGN_TERMINATOR=nginx/,
    ],
  ])('a server that is configured for %s', async (format, fault) => {
    const patient = await startPatientOnce({ env: { COUNTERSIGN_TERMINATOR: format } });
    const { code, examination } = await examine(patient);
    expect([code, examination.problems]).toEqual([2, [expect.stringMatching(fault)]]);
    expect(passedIn(examination)).toEqual([]);
  });

  test.each([
    ['does not send', 'X-Countersign-Proxy-Secret "";', 'the proxy sent no x-countersign-proxy-secret'],
    ['sends another of', `X-Countersign-Proxy-Secret ${'n'.repeat(64)};`, 'does not match COUNTERSIGN_PROXY_SECRET'],
  ])('a proxy that %s the secret', async (_, line, reason) => {
    const secret = 's'.repeat(64);
    const patient = await startPatientOnce({
      env: { COUNTERSIGN_PROXY_SECRET: secret },
      replace: [['X-Countersign-Proxy-Secret "";', line]],
    });
    const { code, stdout, examination } = await examine(patient);
    expect([code, examination.problems]).toEqual([
      2,
      [
        expect.stringMatching(
          `^the server does not believe this proxy: .*${reason}.* Mend: let the proxy set x-countersign`,
        ),
      ],
    ]);
    expect(stdout).not.toContain(secret);
    expect(stdout).not.toContain('n'.repeat(64));
  });

  test('a proxy that does not ask for a certificate', async () => {
    const patient = await startPatientOnce({
      replace: [['ssl_verify_client optional_no_ca;', 'ssl_verify_client off;']],
    });
    const { code, examination } = await examine(patient, withoutCertificate);
    expect([code, examination.problems]).toEqual([
      2,
      [expect.stringMatching(/does not ask for a client certificate at .*ssl_verify_client.*COUNTERSIGN_MTLS_URL/)],
    ]);
  });
});

describeWith(['envoy', 'redis-server'], 'the doctor catches', () => {
  test('a proxy that admits everybody, and was declared to verify', async () => {
    const verifies = 'trusted_ca: { filename: /etc/envoy/countersign/client-ca.pem }';
    const patient = await startPatientOnce({
      terminator: 'envoy',
      replace: [[verifies, 'trust_chain_verification: ACCEPT_UNTRUSTED']],
      env: { COUNTERSIGN_CHAIN_VERIFIED_BY: 'terminator', COUNTERSIGN_CLIENT_CA_FILE: '' },
    });
    const { code, examination } = await examine(patient);
    const fault = expect.stringMatching(/^a self-signed certificate that was made for this run counts as verified/);
    expect([code, examination.problems]).toEqual([2, [fault]]);
  });
});

describeWith(['nginx', 'redis-server'], 'the doctor takes it is', () => {
  test('that a proxy which verifies refuses a certificate made for the run', async () => {
    const patient = await startPatientOnce({
      replace: [
        ['ssl_trusted_certificate ', 'ssl_client_certificate '],
        ['ssl_verify_client optional_no_ca;', 'ssl_verify_client on;'],
      ],
    });
    const refused = await examine(patient, withoutCertificate);
    expect([refused.code, refused.examination.conclusion, refused.examination.problems]).toEqual([1, 'incomplete', []]);
    expect(refused.examination.notes).toContainEqual(
      expect.stringMatching(
        /^the proxy refuses the certificate that was made for this run \(HTTP 400.*--cert and --key/,
      ),
    );
    const given = await examine({ ...patient, client: selfSigned() });
    expect([given.code, given.examination.problems]).toEqual([
      2,
      [expect.stringMatching(/^the proxy refuses your certificate at .*: HTTP 400.*ssl_client_certificate/)],
    ]);
  });
});

describeWith(['nginx', 'redis-server'], 'the doctor does not call it sound', () => {
  test.each([403, 429, 503])('when the proxy had enough of it, and answers %i', async (status) => {
    const zone = `limit_req_zone $binary_remote_addr zone=all:1m rate=1r/s; limit_req_status ${status};`;
    const limit = `server_name ${plainHost}; limit_req zone=all burst=60 nodelay;`;
    const patient = await startPatientOnce({
      replace: [
        ['upstream countersign {', `${zone} upstream countersign {`],
        [`server_name ${plainHost};`, limit],
      ],
    });
    const { code, examination } = await examine(patient);
    expect([code, examination.conclusion, examination.problems]).toEqual([1, 'incomplete', []]);
    expect(examination.notes).toContainEqual(
      expect.stringMatching(new RegExp(`^after the forgeries, .*HTTP ${status}.*let this machine through`)),
    );
    expect(examination.notes.join()).not.toContain('--operations');
  });
});
