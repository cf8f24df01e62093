import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClientRecord, Decision } from '../support/authorization-server.ts';
import { type CertificateOptions, type MintedCertificate, selfSigned } from '../support/certificates.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import type { KeyType } from '../support/keys.ts';
import { openssl, opensslThumbprint } from '../support/openssl.ts';
import { verifyToken } from '../support/verify-token.ts';

type Registration = Omit<ClientRecord, 'client_id'>;

const dn = [
  ['O', 'company'],
  ['OU', 'production'],
  ['CN', 'mtls.client'],
] as const;

const subjectValues: [string, Registration, CertificateOptions][] = [
  ['its subject DN', { tls_client_auth_subject_dn: 'CN=mtls.client,OU=production,O=company' }, { subject: dn }],
  ['a DNS name', { tls_client_auth_san_dns: 'client.example' }, { dns: ['other.example', 'client.example'] }],
  ['a URI', { tls_client_auth_san_uri: 'spiffe://example/client' }, { uris: ['spiffe://example/client'] }],
  ['an IPv4 address', { tls_client_auth_san_ip: '192.0.2.7' }, { ips: ['192.0.2.7'] }],
  ['an IPv6 address', { tls_client_auth_san_ip: '2001:db8::7' }, { ips: ['2001:db8::7'] }],
  ['an e-mail address', { tls_client_auth_san_email: 'client@example.com' }, { emails: ['client@example.com'] }],
  [
    'an X509Name secret of the seed',
    { client_secrets: [{ type: 'X509Name', value: 'CN=mtls.client, OU=production, O=company' }] },
    { subject: dn },
  ],
];

const hex = (thumbprint: string) => Buffer.from(thumbprint, 'base64url').toString('hex');
const certificates = (thumbprint: string) => ({ certificates: [{ thumbprint }] });
const x5c = ({ der }: MintedCertificate) => Buffer.from(der).toString('base64');
const jwks = (key: object) => ({ jwks: { keys: [{ kty: 'EC', ...key }] } });
const opensslFingerprint = async (digest: string, pem: string) =>
  (await openssl(['x509', '-noout', '-fingerprint', `-${digest}`], pem)).trim();

const selfSignedValues: [string, (own: MintedCertificate) => Registration | Promise<Registration>][] = [
  ['a base64url thumbprint', ({ thumbprint }) => certificates(thumbprint)],
  [
    'a padded base64 thumbprint',
    ({ thumbprint }) => certificates(Buffer.from(thumbprint, 'base64url').toString('base64')),
  ],
  ['a hex thumbprint', ({ thumbprint }) => certificates(hex(thumbprint))],
  ['an upper-case hex thumbprint', ({ thumbprint }) => certificates(hex(thumbprint).toUpperCase())],
  ['hex with colons', ({ thumbprint }) => certificates(hex(thumbprint).match(/../g)?.join(':') ?? '')],
  ['hex with spaces', ({ thumbprint }) => certificates(hex(thumbprint).match(/../g)?.join(' ') ?? '')],
  ['what openssl -fingerprint prints', async ({ pem }) => certificates(await opensslFingerprint('sha256', pem))],
  ['its PEM', ({ pem }) => ({ certificates: [{ pem }] })],
  ['x5c of a JWK', (own) => jwks({ x5c: [x5c(own)] })],
  ['x5t#S256 of a JWK', ({ thumbprint }) => jwks({ 'x5t#S256': thumbprint })],
  ['both of a JWK', (own) => jwks({ x5c: [x5c(own)], 'x5t#S256': own.thumbprint })],
  ['one of several', (own) => ({ certificates: [{ pem: selfSigned().pem }, { thumbprint: own.thumbprint }] })],
];

const keyTypes: KeyType[] = ['ec-p256', 'rsa-2048'];
const proxySecret = 'end-to-end-proxy-secret-0123456789abcdef';

describeWith(['nginx', 'redis-server', 'openssl', 'curl'], 'a token through nginx', () => {
  let deployment: Deployment;
  const tokens: string[] = [];
  const confidential: string[] = [];
  let clients = 0;

  beforeAll(async () => {
    deployment = await startDeployment({
      env: { COUNTERSIGN_PROXY_SECRET: proxySecret, COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS: 'true' },
      replace: [['X-Countersign-Proxy-Secret ""', `X-Countersign-Proxy-Secret "${proxySecret}"`]],
    });
    confidential.push(proxySecret, ...linesOfPem(readFileSync(deployment.signingKeyFile, 'utf8')));
  });
  afterAll(() => deployment?.stop());

  async function register(method: string | undefined, registration: Registration): Promise<string> {
    clients += 1;
    const client_id = `client-${clients}`;
    const usual = { client_id, scope: 'read write', audience: 'https://api.example' };
    await deployment.register({ ...usual, ...(method && { token_endpoint_auth_method: method }), ...registration });
    return client_id;
  }

  async function expectToken(decision: Decision, clientId: string, certificate: MintedCertificate) {
    const { status, headers } = decision.response;
    expect([status, decision.response.body]).toEqual([200, expect.stringContaining('access_token')]);
    expect(headers.get('content-type')).toMatch(/^application\/json\b/);
    expect(headers.get('cache-control')).toBe('no-store');
    const { access_token: token, ...rest } = decision.response.json();
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 3600, scope: 'read write' });
    tokens.push(String(token));
    confidential.push(...linesOfPem(certificate.pem), ...linesOfPem(certificate.privateKeyPem));
    await expectClaims(String(token), decision, clientId, certificate);
  }

  async function expectClaims(token: string, { event }: Decision, clientId: string, certificate: MintedCertificate) {
    const { issuer, fetchAs } = deployment;
    const api = { issuer, audience: 'https://api.example', fetch: fetchAs() };
    const { header, claims, keys } = await verifyToken(token, api);
    const kid = keys.keys[0]?.kid;
    const issuedAt = Date.parse(String(event.time)) / 1000;
    expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid });
    expect(claims).toEqual({
      iss: issuer,
      sub: clientId,
      aud: 'https://api.example',
      client_id: clientId,
      iat: expect.closeTo(issuedAt, -1),
      nbf: claims.iat,
      exp: Number(claims.iat) + 3600,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      scope: 'read write',
      cnf: { 'x5t#S256': await opensslThumbprint(certificate.pem) },
    });
    const { thumbprint } = certificate;
    const { jti, scope } = claims;
    const issued = { event: 'token_issued', client_id: clientId, thumbprint, jti, scope, kid };
    expect(event).toMatchObject({ ...issued, peer: 'unix', audience: ['https://api.example'] });
  }

  function expectRejection({ response, event }: Decision, reason: RegExp) {
    expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
    expect(event).toMatchObject({ event: 'token_rejected', reason: expect.stringMatching(reason) });
  }

  describe.each(keyTypes)('for an %s key', (keyType) => {
    test.each(subjectValues)('is issued to a client registered by %s', async (_title, registration, names) => {
      const method = registration.client_secrets ? undefined : 'tls_client_auth';
      const clientId = await register(method, registration);
      const own = deployment.ca.issue({ keyType, ...names });
      await expectToken(await deployment.curlToken(clientId, own), clientId, own);
      const other = deployment.ca.issue({ keyType, subject: [['CN', 'other']], dns: ['other.example'] });
      expectRejection(
        await deployment.requestToken(clientId, { identity: other }),
        /^the certificate's (subject is "CN=other"|alternative names \(\w+\) are: (none|other\.example)); registered is "/,
      );
    });

    test.each(selfSignedValues)('is issued to a self-signed client registered by %s', async (_title, registration) => {
      const own = selfSigned({ keyType, subject: dn });
      const clientId = await register('self_signed_tls_client_auth', await registration(own));
      await expectToken(await deployment.requestToken(clientId, { identity: own }), clientId, own);
      // Even the same name and, for RSA, the same key do not make it the registered certificate.
      const other = selfSigned({ keyType, subject: dn });
      const refused = await deployment.requestToken(clientId, { identity: other });
      expectRejection(refused, new RegExp(`^the certificate ${other.thumbprint} is not registered for this client`));
    });
  });

  test('is issued for a SHA-1 thumbprint, and the audit event names the replacement', async () => {
    const own = selfSigned();
    const value = (await opensslFingerprint('sha1', own.pem)).replace(/^.*=|:/g, '');
    expect(value).toMatch(/^[0-9A-F]{40}$/);
    const clientId = await register(undefined, { client_secrets: [{ type: 'X509Thumbprint', value }] });
    const decision = await deployment.requestToken(clientId, { identity: own });
    await expectToken(decision, clientId, own);
    expect(decision.event.advice).toContain(own.thumbprint);
    const refused = await deployment.requestToken(clientId, { identity: selfSigned() });
    expectRejection(refused, /is not registered for this client/);
  });

  test('is issued for each name and thumbprint of one client until that one ends, and the event names it', async () => {
    const issue = (name: string) => deployment.ca.issue({ subject: [['CN', name]] });
    const [ended, renamed, own, replaced] = [issue('ended'), issue('renamed'), selfSigned(), selfSigned()];
    const secret = (type: string, value: string, description: string, expiration: string) => ({
      ...{ type, value, description, expiration },
    });
    const clientId = await register(undefined, {
      client_secrets: [
        secret('X509Name', 'CN=ended', 'the old name', '2020-01-31'),
        secret('X509CertificateName', 'CN=renamed', 'the new name', '2999-01-31'),
        secret('X509Thumbprint', hex(replaced.thumbprint), 'the old certificate', '2020-01-31'),
        secret('X509CertificateThumbprint', hex(own.thumbprint), 'the new certificate', '2999-01-31'),
      ],
    });
    for (const [identity, method, registration] of [
      [renamed, 'tls_client_auth', 'the new name'],
      [own, 'self_signed_tls_client_auth', 'the new certificate'],
    ] as const) {
      const decision = await deployment.requestToken(clientId, { identity });
      await expectToken(decision, clientId, identity);
      expect(decision.event).toMatchObject({ method, registration });
    }
    for (const identity of [ended, replaced])
      expectRejection(await deployment.requestToken(clientId, { identity }), /has ended$/);
    expectRejection(
      await deployment.requestToken(clientId, { identity: issue('third') }),
      /registered are: thumbprint /,
    );
  });

  test('is unique, even for the same client and certificate', async () => {
    const own = selfSigned();
    const clientId = await register('self_signed_tls_client_auth', certificates(own.thumbprint));
    const identity = { identity: own };
    const [one, two] = [await deployment.requestToken(clientId, identity), await deployment.curlToken(clientId, own)];
    await expectToken(one, clientId, own);
    await expectToken(two, clientId, own);
    expect(one.event.jti).not.toBe(two.event.jti);
  });

  test('never appears in a log, nor does a PEM, a key or the proxy secret', () => {
    const { lines, stderr } = deployment.countersign;
    const log = `${JSON.stringify(lines)}${stderr()}`;
    const issued = deployment.countersign.auditEvents().filter(({ event }) => event === 'token_issued');
    expect(issued.length).toBeGreaterThan(0);
    expect(tokens).toHaveLength(issued.length);
    const signatures = tokens.map((token) => token.split('.')[2] ?? '');
    const secrets = [...tokens, ...signatures, ...confidential];
    expect(secrets.filter((text) => log.includes(text) || log.includes(encodeURIComponent(text)))).toEqual([]);
    expect(log).not.toMatch(/-----BEGIN|BEGIN%20CERTIFICATE|PRIVATE KEY/);
  });
});

/** Each whole line of base64: one would be enough to give the text away. */
function linesOfPem(pem: string): string[] {
  return pem.split('\n').filter((line) => line.length === 64 && !line.startsWith('-'));
}
