import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DeploymentOptions } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { examine, passedIn, startPatientOnce, withoutCertificate } from '../support/doctor.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type TerminatorName, terminators } from '../support/terminators.ts';

/** A terminator that verifies nobody's chain. */
interface Careless {
  readonly terminator: TerminatorName;
  readonly verifiedBy: 'header' | 'terminator';
  readonly replace: NonNullable<DeploymentOptions['replace']>;
  readonly fix: string;
}

const careless: readonly Careless[] = [
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
    replace: [
      ['trusted_ca: { filename: /etc/envoy/countersign/client-ca.pem }', 'trust_chain_verification: ACCEPT_UNTRUSTED'],
    ],
    fix: 'Envoy: trusted_ca',
  },
  {
    terminator: 'caddy',
    verifiedBy: 'terminator',
    replace: [
      ['mode verify_if_given', 'mode request'],
      ['\t\t\ttrusted_ca_cert_file /etc/caddy/countersign/client-ca.pem', ''],
    ],
    fix: 'Caddy: mode verify_if_given with trusted_ca_cert_file',
  },
];

const declared = (by: string) => ({ COUNTERSIGN_CHAIN_VERIFIED_BY: by, COUNTERSIGN_CLIENT_CA_FILE: '' });

for (const { terminator, verifiedBy, replace, fix } of careless) {
  describeWith(
    [terminators[terminator].program, 'redis-server'],
    `the doctor, ${terminator} that verifies nobody`,
    () => {
      test.each([
        ['with a certificate of the CA', {}],
        ['without one', withoutCertificate],
      ])(`says so where COUNTERSIGN_CHAIN_VERIFIED_BY=${verifiedBy}, %s`, async (_, more) => {
        const patient = await startPatientOnce({ terminator, replace, env: declared(verifiedBy) });
        const { code, examination } = await examine(patient, more);
        expect([code, examination.conclusion, examination.problems]).toEqual([
          2,
          'wrong',
          [expect.stringMatching(/^a self-signed certificate that was made for this run counts as verified at https:/)],
        ]);
        expect(examination.problems[0]).toContain(fix);
        expect(examination.problems[0]).toContain(
          'take COUNTERSIGN_CHAIN_VERIFIED_BY away and set COUNTERSIGN_CLIENT_CA_FILE',
        );
        // No forgery made it so.
        expect(passedIn(examination)).toEqual([]);
      });

      test('finds it sound where Countersign verifies', async () => {
        const { code, examination } = await examine(await startPatientOnce({ terminator, replace }));
        expect([code, examination.problems, examination.conclusion]).toEqual([0, [], 'sound']);
      });
    },
  );
}

describeWith(['haproxy', 'redis-server'], 'the doctor, HAProxy that says no by saying nothing', () => {
  test('finds that a client with a self-signed certificate may write yes', async () => {
    const patient = await startPatientOnce({
      terminator: 'haproxy',
      replace: [
        ['X-SSL-Client-Verify %[ssl_c_verify] if { ssl_c_used }', 'X-SSL-Client-Verify 0 if { ssl_c_verify 0 }'],
        ['(client-?cert|ssl-client|^cf-cert)', '(client-?cert|^cf-cert)'],
      ],
      env: declared('header'),
    });
    const { code, examination } = await examine(patient);
    const verdicts = passedIn(examination).filter(({ forgery }) => forgery === 'verdict_alone');
    expect([code, new Set(verdicts.map(({ certificate }) => certificate))]).toEqual([2, new Set(['stranger'])]);
    expect(verdicts[0]?.detail).toMatch(
      /^the chain of a self-signed certificate counts as verified: x-ssl-client-verify/,
    );
  });
});

describeWith(['apache2', 'redis-server'], 'the doctor, Apache that resumes sessions', () => {
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

  test('says that its verdict turns into SUCCESS', async () => {
    const { code, examination } = await examine(await startPatientOnce({ ...resuming, env: declared('header') }));
    expect([code, examination.problems]).toEqual([
      2,
      [expect.stringMatching(/counts as verified at .*, in a TLS session that is resumed .*SSLSessionCache/)],
    ]);
  });

  test('finds it sound where Countersign verifies', async () => {
    const { code, examination } = await examine(await startPatientOnce(resuming));
    expect([code, examination.problems]).toEqual([0, []]);
  });
});
