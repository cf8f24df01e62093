import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type CertificateOptions, createTestCa, type MintedCertificate } from '../support/certificates.ts';
import { createCrl } from '../support/crls.ts';
import { type Deployment, type DeploymentOptions, formOf, type Route, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import { generalName, nameConstraints } from '../support/general-names.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type ShippedTerminator, type TerminatorName, terminators } from '../support/terminators.ts';

const subject = [
  ['O', 'Clients'],
  ['CN', 'billing'],
] as const;
/** BoringSSL requires an alternative name below a CA with name constraints. */
const dns = ['billing.example'];
const past = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) };

const constraints = nameConstraints({ permitted: [generalName.directory([['O', 'Clients']])] });
/** The CA of the clients. The deployments have another certificate of it, with the same key. */
const ca = createTestCa({ subject: [['CN', 'Client CA']], extraExtensions: [constraints] });
const anotherCa = createTestCa({ subject: [['CN', 'Another CA']] });

/** Why a terminator rejects a certificate. */
const causes = ['expired', 'wrong purpose', 'name constraint', 'untrusted', 'revoked'] as const;
type Cause = (typeof causes)[number];

const certificates: Readonly<Record<Cause, MintedCertificate>> = {
  expired: ca.issue({ subject, dns, ...past }),
  'wrong purpose': ca.issue({ subject, dns, eku: 'server' }),
  'name constraint': ca.issue({ subject: [['CN', 'billing']], dns }),
  untrusted: anotherCa.issue({ subject }),
  revoked: ca.issue({ subject, dns }),
};

const expired = /^the certificate expired at /;
const wrongPurpose = /its extended key usage lacks clientAuth$/;
const unverified = (reason: string) => new RegExp(`^the certificate's chain is not verified: ${reason}`);

/** The reasons of this server, if the terminator forwards none. */
const ownReasons: Readonly<Record<Cause, RegExp>> = {
  expired,
  'wrong purpose': wrongPurpose,
  'name constraint': unverified('.*outside the permitted subtrees'),
  untrusted: unverified('the certificate has no known issuer'),
  revoked: unverified('.*is revoked by CA'),
};

interface Row {
  readonly terminator: TerminatorName;
  /** How an operator configures its CRL; undefined if it has none, and the server has it. */
  readonly crl: ((file: string) => NonNullable<DeploymentOptions['replace']>) | undefined;
  /** In the audit log; or in the log of the terminator, if it rejects the certificate in the handshake. */
  readonly reasons: Readonly<Record<Cause, RegExp | { readonly logged: RegExp }>>;
}

const verify = (value: string) => unverified(`x-ssl-client-verify is "${value}`);

const apacheError = (number: number, text: string, name = 'CN=billing,O=Clients') => ({
  logged: new RegExp(
    `\\[client 127.0.0.1:\\d+\\] AH02276: Certificate Verification: Error \\(${number}\\): ${text} \\[subject: ${name} / issuer: CN=Client CA / serial: `,
  ),
});

const rows: readonly Row[] = [
  {
    terminator: 'nginx',
    crl: (file) => [['ssl_verify_depth 6;', `ssl_verify_depth 6; ssl_crl ${file};`]],
    reasons: {
      expired,
      'wrong purpose': wrongPurpose,
      'name constraint': verify('FAILED:permitted subtree violation"$'),
      untrusted: verify('FAILED:unable to'),
      revoked: verify('FAILED:certificate revoked"$'),
    },
  },
  {
    terminator: 'haproxy',
    crl: (file) => [['no-ca-names', `no-ca-names crl-file ${file}`]],
    reasons: {
      expired,
      'wrong purpose': wrongPurpose,
      'name constraint': {
        logged:
          /"reason":"SSL client certificate not trusted","ssl_c_err":47,.*"subject":"CN=billing","issuer":"CN=Client CA"/,
      },
      untrusted: verify('\\d+" \\(unable to'),
      revoked: verify('23" \\(certificate revoked\\)$'),
    },
  },
  {
    terminator: 'envoy',
    crl: (file) => [
      [
        'trust_chain_verification: ACCEPT_UNTRUSTED',
        `trust_chain_verification: ACCEPT_UNTRUSTED\n              crl: { filename: ${file} }`,
      ],
    ],
    reasons: { ...ownReasons, revoked: verify('FAILED", and this server finds a valid path') },
  },
  { terminator: 'caddy', crl: undefined, reasons: ownReasons },
  { terminator: 'traefik', crl: undefined, reasons: ownReasons },
  {
    terminator: 'apache',
    crl: (file) => [
      [
        'SSLOpenSSLConfCmd VerifyCAFile /etc/apache2/countersign/client-ca.pem',
        `SSLCACertificateFile /etc/apache2/countersign/client-ca.pem\nSSLCARevocationFile ${file}\nSSLCARevocationCheck chain`,
      ],
    ],
    reasons: {
      expired: apacheError(10, 'certificate has expired'),
      'wrong purpose': apacheError(26, 'unsuitable certificate purpose'),
      'name constraint': apacheError(47, 'permitted subtree violation', 'CN=billing'),
      // Apache has no CRL of that CA.
      untrusted: {
        logged: /AH02276: Certificate Verification: Error \(3\): unable to get certificate CRL \[subject: /,
      },
      revoked: apacheError(23, 'certificate revoked'),
    },
  },
];

const crlFile = join(temporaryDirectory(), 'clients.crl');
writeFileSync(crlFile, pemOf(createCrl(ca, { revoked: [certificates.revoked] })));

function pemOf(crl: Uint8Array): string {
  return `-----BEGIN X509 CRL-----\n${Buffer.from(crl).toString('base64')}\n-----END X509 CRL-----\n`;
}

const clientCa: CertificateOptions = { extraExtensions: [constraints], keys: ca.keys };
const records = {
  billing: { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=billing,O=Clients' },
  // Even a client that has registered exactly this certificate gets no token: the terminator has rejected it.
  registered: {
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    certificates: Object.values(certificates).map(({ thumbprint }) => ({ thumbprint })),
  },
};
const form = ['Content-Type: application/x-www-form-urlencoded'];

for (const { terminator, crl, reasons } of rows) {
  const { program }: ShippedTerminator = terminators[terminator];
  describeWith([program, 'redis-server'], `${terminator} forwards a certificate that it rejects`, () => {
    const handshakeFails = (cause: Cause) => 'logged' in reasons[cause];
    let deployment: Deployment;
    beforeAll(async () => {
      const env: Record<string, string> = crl ? {} : { COUNTERSIGN_CLIENT_CRLS: crlFile };
      deployment = await startDeployment({ terminator, clientCa, env, replace: crl?.(crlFile) ?? [] });
      for (const [clientId, record] of Object.entries(records)) {
        await deployment.register({ client_id: clientId, ...record });
      }
    });
    afterAll(() => deployment?.stop());

    test('and a valid one gets a token', async () => {
      const { response } = await deployment.requestToken('billing', { identity: ca.issue({ subject, dns }) });
      expect(response.status).toBe(200);
    });

    test.each(causes)('%s: a log has the reason, and the client does not', async (cause) => {
      const identity = certificates[cause];
      const expected = reasons[cause];
      if ('logged' in expected) {
        const { response, events } = await deployment.watch(() => attempt({ identity }));
        expect([response, events]).toEqual([expect.stringMatching(/alert|reset|hang up|closed/), []]);
        await eventually(() => expected.logged.test(deployment.proxy.errors()), deployment.proxy.errors);
        return;
      }
      const { response, event } = await deployment.requestToken('billing', { identity });
      expect(event).toMatchObject({ event: 'token_rejected', client_id: 'billing' });
      expect(event.reason).toMatch(expected);
      const { response: unknown } = await deployment.requestToken('unknown', { identity });
      expect([response.status, response.body]).toEqual([400, unknown.body]);
      expect(response.json()).toEqual({
        error: 'invalid_client',
        error_description: 'Client authentication failed.',
      });
    });

    /** The response, or how the handshake failed. */
    const attempt = (route: Route) =>
      deployment.send({ lines: form, body: formOf('billing') }, route).catch((error: Error) => error.message);

    test.skipIf(handshakeFails('expired')).each(['/introspect', '/revoke'])(
      'at %s, where the response is 401 with a challenge',
      async (path) => {
        const request = { path, lines: form, body: formOf('billing', { token: 'x' }) };
        const { response, event } = await deployment.decide(() =>
          deployment.send(request, { identity: certificates.expired }),
        );
        expect([response.status, response.json().error, event.reason]).toEqual([
          401,
          'invalid_client',
          expect.stringMatching(expired),
        ]);
        expect(response.headers.get('www-authenticate')).toBe('Basic realm="countersign"');
      },
    );

    // Without a result of the terminator, a registered certificate counts by itself.
    const rejectsRevoked = crl !== undefined;
    test.skipIf(handshakeFails('revoked'))(
      `revoked, and registered: the client gets ${rejectsRevoked ? 'no' : 'a'} token`,
      async () => {
        const { response } = await deployment.requestToken('registered', { identity: certificates.revoked });
        expect(response.status).toBe(rejectsRevoked ? 400 : 200);
      },
    );

    test.skipIf(handshakeFails('expired'))('while the server is unavailable, as every other one', async () => {
      await deployment.countersign.stop();
      const response = await deployment.send(
        { lines: form, body: formOf('billing') },
        { identity: certificates.expired },
      );
      // Traefik cannot have a response of its own.
      if (terminator === 'traefik') expect(response.status).toBe(502);
      else expect([response.status, response.json().error]).toEqual([503, 'temporarily_unavailable']);
      expect(response.headers.get('retry-after')).toBe(terminator === 'traefik' ? null : '2');
    });
  });
}

const declared = {
  COUNTERSIGN_CHAIN_VERIFIED_BY: 'terminator',
  COUNTERSIGN_CLIENT_CA_FILE: '',
  COUNTERSIGN_VERIFY_HEADER: '',
};

for (const terminator of ['caddy', 'envoy', 'traefik'] as const) {
  describeWith([terminator, 'redis-server'], `behind the shipped ${terminator}, which admits every certificate`, () => {
    test('CHAIN_VERIFIED_BY=terminator makes none of them verified', async () => {
      const deployment = await startDeployment({ terminator, clientCa, env: declared });
      onTestFinished(async () => void (await deployment.stop()));
      await deployment.register({ client_id: 'billing', ...records.billing });
      const { response, event } = await deployment.requestToken('billing', { identity: certificates.untrusted });
      expect([response.status, event]).toMatchObject([
        400,
        {
          code: 'verification_failed',
          reason: expect.stringContaining('remove COUNTERSIGN_CHAIN_VERIFIED_BY=terminator'),
        },
      ]);
    });
  });
}
