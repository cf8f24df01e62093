import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClientRecord } from '../support/authorization-server.ts';
import {
  type CertificateOptions,
  createTestCa,
  type MintedCertificate,
  selfSigned,
  type TestCa,
} from '../support/certificates.ts';
import {
  type Deployment,
  type DeploymentOptions,
  formOf,
  mtlsHost,
  plainHost,
  type Route,
  startDeployment,
} from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import type { RawRequest } from '../support/raw-http.ts';
import { type ShippedTerminator, type TerminatorName, terminators } from '../support/terminators.ts';

/** A certificate's shape, and what registers it by name. */
type Shape = [title: string, options: CertificateOptions, registration: Omit<ClientRecord, 'client_id'>];

const dnsNames = Array.from({ length: 50 }, (_, index) => `host-${index}.client.example`);
/** Not much less than the 16 KiB that the server reads. */
const manyNames = Array.from({ length: 640 }, (_, index) => `host-${index}.client.example`);
const dn = (subjectDn: string) => ({ tls_client_auth_subject_dn: subjectDn });

const shapes: readonly Shape[] = [
  ['EC', { subject: [['CN', 'ec']] }, dn('CN=ec')],
  ['RSA-4096', { subject: [['CN', 'rsa']], keyType: 'rsa-4096' }, dn('CN=rsa')],
  [
    'commas',
    {
      subject: [
        ['O', 'Acme, Inc.'],
        ['CN', 'a,O=b'],
      ],
    },
    dn('CN=a\\,O=b,O=Acme\\, Inc.'),
  ],
  ['quotes', { subject: [['CN', 'the "client"\\']] }, dn('CN=the \\"client\\"\\\\')],
  ['plus', { subject: [['CN', 'a+OU=b;c=d']] }, dn('CN=a\\+OU\\=b\\;c\\=d')],
  ['UTF-8', { subject: [['CN', 'Müller 東京']] }, dn('CN=Müller 東京')],
  [
    'multi-valued RDN',
    {
      subject: [
        ['O', 'company'],
        [
          ['CN', 'x'],
          ['UID', '1'],
        ],
      ],
    },
    dn('CN=x+UID=1,O=company'),
  ],
  [
    'SAN URI',
    { subject: [['CN', 'uri']], uris: ['spiffe://example/a;b,c="d"'] },
    { tls_client_auth_san_uri: 'spiffe://example/a;b,c="d"' },
  ],
  ['50 SANs', { subject: [['CN', 'sans']], dns: dnsNames }, { tls_client_auth_san_dns: 'host-49.client.example' }],
  ['640 SANs', { subject: [['CN', 'more']], dns: manyNames }, { tls_client_auth_san_dns: 'host-639.client.example' }],
];

/** The kinds of certificate of that shape that a client presents. */
const senders = ['PKI', 'self-signed', 'wrong CA', 'expired', 'none'] as const;
type Sender = (typeof senders)[number];

/** The possible outcomes: the text of a table cell, and the pattern of what client and operator see. */
const outcomes = {
  token: /^token$/,
  'no certificate': /^400 invalid_client: no certificate: the terminator forwarded no certificate in /,
  'verification failed': /^400 invalid_client: the certificate's chain is not verified: x-ssl-client-verify is "/,
  'path invalid':
    /^400 invalid_client: the certificate's chain is not verified: the certificate is not signed by the key of its issuer "CN=Client CA" /,
  expired: /^400 invalid_client: the certificate expired at /,
  'rejected by the terminator': /^400 invalid_client: the terminator rejected the certificate: /,
  'handshake rejected': /^handshake rejected: /,
} as const;

/** The expected outcome, for every shape alike. */
type Expected = Readonly<Record<Sender, keyof typeof outcomes>>;

interface Row {
  readonly terminator: TerminatorName;
  readonly title: string;
  readonly options?: Pick<DeploymentOptions, 'replace' | 'env'>;
  readonly expected: Expected;
}

/** The terminator reports the result of its own verification. */
const verifiedByTerminator: Expected = {
  PKI: 'token',
  'self-signed': 'token',
  'wrong CA': 'verification failed',
  expired: 'expired',
  none: 'no certificate',
};

/** The terminator forwards every certificate, and reports nothing. */
const verifiedByServer: Expected = { ...verifiedByTerminator, 'wrong CA': 'path invalid' };

const rows: readonly Row[] = [
  {
    terminator: 'nginx',
    title: 'nginx',
    expected: verifiedByTerminator,
  },
  {
    terminator: 'envoy',
    title: 'Envoy',
    expected: { ...verifiedByServer, 'self-signed': 'rejected by the terminator' },
  },
  {
    terminator: 'envoy',
    title: 'Envoy, and self-signed clients',
    options: {
      replace: [['trusted_ca: { filename: /etc/envoy/countersign/client-ca.pem }', '']],
      env: { COUNTERSIGN_VERIFY_HEADER: '' },
    },
    expected: verifiedByServer,
  },
  {
    terminator: 'haproxy',
    title: 'HAProxy',
    expected: verifiedByTerminator,
  },
  {
    terminator: 'apache',
    title: 'Apache',
    expected: { ...verifiedByTerminator, expired: 'handshake rejected' },
  },
  {
    terminator: 'caddy',
    title: 'Caddy',
    expected: verifiedByServer,
  },
  {
    terminator: 'traefik',
    title: 'Traefik',
    expected: verifiedByServer,
  },
  {
    terminator: 'caddy',
    title: 'Caddy that verifies certificates',
    options: {
      replace: [['mode request', 'mode verify_if_given\ntrusted_ca_cert_file /etc/caddy/countersign/client-ca.pem']],
    },
    expected: {
      PKI: 'token',
      'self-signed': 'handshake rejected',
      'wrong CA': 'handshake rejected',
      expired: 'handshake rejected',
      none: 'no certificate',
    },
  },
];

const HOUR = 3_600_000;
const results: string[][] = [];

for (const { terminator, title, options = {}, expected } of rows) {
  const { program }: ShippedTerminator = terminators[terminator];
  describeWith([program, 'redis-server'], title, () => {
    let deployment: Deployment;
    let wrongCa: TestCa;
    beforeAll(async () => {
      deployment = await startDeployment({ terminator, ...options });
      wrongCa = createTestCa({ subject: [['CN', 'Client CA']] });
    });
    afterAll(() => deployment?.stop());

    function certificateOf(sender: Sender, shape: CertificateOptions): MintedCertificate | undefined {
      const late = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
      if (sender === 'none') return undefined;
      if (sender === 'self-signed') return selfSigned(shape);
      if (sender === 'wrong CA') return wrongCa.issue(shape);
      return deployment.ca.issue(sender === 'expired' ? { ...shape, ...late } : shape);
    }

    async function outcomeOf(sender: Sender, [, shape, registration]: Shape): Promise<string> {
      const identity = certificateOf(sender, shape);
      const clientId = `${sender}-client`.replace(' ', '-');
      const isSelfSigned = sender === 'self-signed' && identity !== undefined;
      await deployment.register({
        client_id: clientId,
        ...(isSelfSigned
          ? {
              token_endpoint_auth_method: 'self_signed_tls_client_auth',
              certificates: [{ thumbprint: identity.thumbprint }],
            }
          : { token_endpoint_auth_method: 'tls_client_auth', ...registration }),
      });
      return ask(clientId, identity);
    }

    async function ask(clientId: string, identity: MintedCertificate | undefined): Promise<string> {
      const request = { lines: ['Content-Type: application/x-www-form-urlencoded'], body: formOf(clientId) };
      const { response, events } = await deployment.watch(() =>
        deployment.send(request, { identity }).catch((error: Error) => `handshake rejected: ${error.message}`),
      );
      if (typeof response === 'string') return response;
      const [event] = events;
      if (!event) return `${response.status} ${response.json().error} without an event`;
      if (event.event !== 'token_issued') return `${response.status} ${event.error}: ${event.reason}`;
      return event.thumbprint === identity?.thumbprint ? 'token' : `token for ${event.thumbprint}`;
    }

    describe('introspection and revocation', () => {
      const clientId = 'manages-tokens';
      const form = (token: string) => ({ client_id: clientId, token });
      let identity: MintedCertificate;
      let token: string;
      beforeAll(async () => {
        identity = deployment.ca.issue({ subject: [['CN', clientId]] });
        const registration = { token_endpoint_auth_method: 'tls_client_auth', ...dn(`CN=${clientId}`) };
        await deployment.register({ client_id: clientId, ...registration });
        token = String((await deployment.requestToken(clientId, { identity })).response.json().access_token);
      });
      const send = async (request: RawRequest, route: Route) =>
        (await deployment.watch(() => deployment.send(request, route))).response;

      test('have the same answers as without a terminator', async () => {
        const introspect = (...lines: readonly string[]) =>
          send({ path: '/introspect', lines, body: form(token) }, { identity });
        expect((await introspect()).json()).toMatchObject({ active: true, client_id: clientId });
        const jwt = await introspect('Accept: application/token-introspection+jwt');
        expect(jwt.headers.get('content-type')).toBe('application/token-introspection+jwt');
        expect(jwt.body.split('.')).toHaveLength(3);
        const revoked = await send({ path: '/revoke', body: form(token) }, { identity });
        expect([revoked.status, revoked.body, revoked.headers.get('cache-control')]).toEqual([200, '', 'no-store']);
        expect((await introspect()).body).toBe('{"active":false}');
      });

      test.each([mtlsHost, plainHost])('accept no certificate from a header at %s', async (host) => {
        const forged = [
          `X-SSL-Client-Cert: ${encodeURIComponent(identity.pem)}`,
          'X-SSL-Client-Verify: SUCCESS',
          `X-Forwarded-Client-Cert: Cert="${encodeURIComponent(identity.pem)}"`,
          `Client-Cert: :${Buffer.from(identity.der).toString('base64')}:`,
        ];
        for (const path of ['/introspect', '/revoke']) {
          const response = await send({ path, lines: forged, body: form(token) }, { host });
          expect([response.status, response.json().error]).toEqual([401, 'invalid_client']);
          expect(response.headers.get('www-authenticate')).toBe('Basic realm="countersign"');
        }
      });

      test.each(['/introspect', '/revoke'])('%s accepts the body of a token of 60,000 characters', async (path) => {
        const allowed = await send({ path, body: form('x'.repeat(60_000)) }, { identity });
        expect(allowed.status).toBe(200);
      });
    });

    describe.each(shapes)('%s', (...shape) => {
      test.each(senders)('%s', async (sender) => {
        const outcome = await outcomeOf(sender, shape);
        results.push([title, shape[0], sender, outcome]);
        expect(outcome).toMatch(outcomes[expected[sender]]);
      });
    });
  });
}

afterAll(() => {
  console.info(['', ...matrix()].join('\n'));
});

/** One line for each terminator and shape, one column for each sender. */
function matrix(): string[] {
  const lines = [['terminator', 'certificate', ...senders]];
  for (const { title } of rows) {
    for (const [shape] of shapes) {
      const cells = senders.map((sender) => {
        const [, , , outcome = 'not run'] =
          results.find(([t, s, by]) => t === title && s === shape && by === sender) ?? [];
        return Object.entries(outcomes).find(([, pattern]) => pattern.test(outcome))?.[0] ?? outcome;
      });
      lines.push([title, shape, ...cells]);
    }
  }
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
