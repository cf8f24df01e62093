import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DeploymentOptions } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { acceptedForgeries, runProbe, startProbedDeploymentForTest, withoutCertificate } from '../support/doctor.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type TerminatorName, terminators } from '../support/terminators.ts';

/** A terminator that verifies no chain. */
interface Misconfiguration {
  readonly terminator: TerminatorName;
  readonly verifiedBy: 'header' | 'terminator';
  /** In the shipped configuration. For Envoy and Caddy, that verifies none and states so, and the server would reject every certificate. */
  readonly replace?: DeploymentOptions['replace'];
  readonly env?: DeploymentOptions['env'];
  readonly fix: string;
}

const misconfigurations: readonly Misconfiguration[] = [
  {
    terminator: 'haproxy',
    verifiedBy: 'header',
    replace: [['X-SSL-Client-Verify %[ssl_c_verify] if', 'X-SSL-Client-Verify 0 if']],
    fix: 'HAProxy: %[ssl_c_verify] if { ssl_c_used }',
  },
  {
    terminator: 'nginx',
    verifiedBy: 'header',
    replace: [
      ['upstream countersign {', 'map $ssl_client_verify $v { NONE NONE; default SUCCESS; } upstream countersign {'],
      ['X-SSL-Client-Verify $ssl_client_verify;', 'X-SSL-Client-Verify $v;'],
    ],
    fix: 'nginx: $ssl_client_verify as it is',
  },
  {
    terminator: 'envoy',
    verifiedBy: 'terminator',
    replace: [['{ key: x-ssl-client-verify, value: FAILED }', '{ key: x-other, value: FAILED }']],
    env: { COUNTERSIGN_VERIFY_HEADER: '' },
    fix: 'Envoy: trusted_ca',
  },
  {
    terminator: 'caddy',
    verifiedBy: 'terminator',
    replace: [['header_up X-SSL-Client-Verify UNVERIFIED', 'header_up -X-SSL-Client-Verify']],
    fix: 'Caddy: mode verify_if_given with trusted_ca_cert_file',
  },
];

const declared = (by: string) => ({ COUNTERSIGN_CHAIN_VERIFIED_BY: by, COUNTERSIGN_CLIENT_CA_FILE: '' });

for (const { terminator, verifiedBy, replace = [], env = {}, fix } of misconfigurations) {
  describeWith(
    [terminators[terminator].program, 'redis-server'],
    `countersign doctor with ${terminator} that verifies no chain`,
    () => {
      test.each([
        ['with a certificate of the CA', {}],
        ['without one', withoutCertificate],
      ])(`reports it when COUNTERSIGN_CHAIN_VERIFIED_BY=${verifiedBy}, %s`, async (_, more) => {
        const deployment = await startProbedDeploymentForTest({
          terminator,
          replace,
          env: { ...declared(verifiedBy), ...env },
        });
        const { code, report } = await runProbe(deployment, more);
        expect([code, report.conclusion, report.problems]).toEqual([
          3,
          'vulnerable',
          [
            expect.stringMatching(
              /^the chain of a self-signed certificate generated for this run is accepted as verified at https:/,
            ),
          ],
        ]);
        expect(report.problems[0]).toContain(fix);
        expect(report.problems[0]).toContain('remove COUNTERSIGN_CHAIN_VERIFIED_BY and set COUNTERSIGN_CLIENT_CA_FILE');
        // No forgery is the cause.
        expect(acceptedForgeries(report)).toEqual([]);
      });

      test('concludes secure when Countersign verifies chains', async () => {
        const { code, report } = await runProbe(await startProbedDeploymentForTest({ terminator, replace, env }));
        expect([code, report.problems, report.conclusion]).toEqual([0, [], 'secure']);
      });
    },
  );
}

describeWith(
  ['haproxy', 'redis-server'],
  'countersign doctor with HAProxy that forwards no verification on failure',
  () => {
    test('finds that a client with a self-signed certificate can forge the verification', async () => {
      const deployment = await startProbedDeploymentForTest({
        terminator: 'haproxy',
        replace: [
          ['X-SSL-Client-Verify %[ssl_c_verify] if { ssl_c_used }', 'X-SSL-Client-Verify 0 if { ssl_c_verify 0 }'],
          ['(client-?cert|ssl-client|^cf-cert)', '(client-?cert|^cf-cert)'],
        ],
        env: declared('header'),
      });
      const { code, report } = await runProbe(deployment);
      const forged = acceptedForgeries(report).filter(({ forgery }) => forgery === 'verification_alone');
      expect([code, new Set(forged.map(({ certificate }) => certificate))]).toEqual([3, new Set(['untrusted'])]);
      expect(forged[0]?.detail).toMatch(
        /^the chain of a self-signed certificate was accepted as verified: x-ssl-client-verify/,
      );
    });
  },
);

describeWith(['apache2', 'redis-server'], 'countersign doctor with Apache that resumes sessions', () => {
  const cache = `SSLSessionCache shmcb:${join(temporaryDirectory(), 'sessions')}(512000)`;
  const resuming: DeploymentOptions = {
    terminator: 'apache',
    replace: [
      [
        '<VirtualHost *:443>\n    ServerName countersign.invalid',
        `${cache}\n<VirtualHost *:443>\n    ServerName countersign.invalid`,
      ],
      ['RequestHeader set X-SSL-Client-Verify "FAILED:the TLS session was resumed', '#'],
    ],
  };

  test('reports that the verification becomes SUCCESS', async () => {
    const { code, report } = await runProbe(
      await startProbedDeploymentForTest({ ...resuming, env: declared('header') }),
    );
    expect([code, report.problems]).toEqual([
      3,
      [expect.stringMatching(/accepted as verified at .*, in a resumed TLS session .*SSLSessionCache/)],
    ]);
  });

  test('concludes secure when Countersign verifies chains', async () => {
    const { code, report } = await runProbe(await startProbedDeploymentForTest(resuming));
    expect([code, report.problems]).toEqual([0, []]);
  });
});
