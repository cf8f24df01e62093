import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { selfSigned } from '../support/certificates.ts';
import { formOf } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { exact, named } from '../support/forged-headers.ts';
import type { HttpResponse } from '../support/http-response.ts';
import { sendRequest } from '../support/raw-http.ts';
import { tokenIdsIn } from '../support/token-ids.ts';

const proxy = '127.0.0.2';
const secret = 'only-the-proxy-knows-this-0123456789abcdef';
const secretHeader = 'X-Countersign-Proxy-Secret';
const secretLine = `${secretHeader}: ${secret}`;
const victim = selfSigned({ subject: [['CN', 'victim']] });
const attacker = selfSigned({ subject: [['CN', 'attacker']] });
const forged = exact(victim);
const cert = `X-SSL-Client-Cert: ${encodeURIComponent(victim.pem)}`;
const otherCert = `X-SSL-Client-Cert: ${encodeURIComponent(attacker.pem)}`;
const verification = 'X-SSL-Client-Verify: SUCCESS';
const forwardedAs = (name: string, value: string) => [...forged, secretLine, `${name}: ${value}`];

/** The address that the request is sent from, its lines, and why there is no token. */
type Rejected = [title: string, from: string, lines: string[], reason: string];

const notTrusted = (address: string) => `no certificate: the peer ${address} is not in COUNTERSIGN_TRUSTED_PROXIES`;
const nothing = 'no certificate: the terminator forwarded no certificate in x-ssl-client-cert';
const mismatch = `no certificate: x-countersign-proxy-secret does not match COUNTERSIGN_PROXY_SECRET`;
const absent = 'no certificate: the proxy sent no x-countersign-proxy-secret, and COUNTERSIGN_PROXY_SECRET is set';
const repeated = 'no certificate: x-countersign-proxy-secret is repeated';

const untrustedPeers: Rejected[] = [
  ['from this machine, without the secret', '127.0.0.1', forged, notTrusted('127.0.0.1')],
  ['from this machine, with the secret', '127.0.0.1', [...forged, secretLine], notTrusted('127.0.0.1')],
  ['from the next address', '127.0.0.3', [...forged, secretLine], notTrusted('127.0.0.3')],
  ['with X-Forwarded-For', '127.0.0.1', forwardedAs('X-Forwarded-For', proxy), notTrusted('127.0.0.1')],
  ['with Forwarded', '127.0.0.1', forwardedAs('Forwarded', `for=${proxy}`), notTrusted('127.0.0.1')],
  ['with X-Real-IP', '127.0.0.1', forwardedAs('X-Real-IP', proxy), notTrusted('127.0.0.1')],
];

const withoutSecret: Rejected[] = [
  ['without the secret', proxy, forged, absent],
  ['with an empty secret', proxy, [...forged, `${secretHeader}:`], mismatch],
  ['with another secret', proxy, [...forged, `${secretHeader}: ${'x'.repeat(secret.length)}`], mismatch],
  ['with the start of the secret', proxy, [...forged, secretLine.slice(0, -1)], mismatch],
  ['with more than the secret', proxy, [...forged, `${secretLine}0`], mismatch],
  ['with the secret in upper case', proxy, [...forged, `${secretHeader}: ${secret.toUpperCase()}`], mismatch],
  ['with the secret twice', proxy, [...forged, secretLine, secretLine], repeated],
  ['with the secret and another', proxy, [...forged, secretLine, `${secretHeader}: x`], repeated],
  ['with the secret in a list', proxy, [...forged, `${secretLine}, x`], mismatch],
  ['with the secret under another name', proxy, [...forged, `X_Countersign_Proxy_Secret: ${secret}`], absent],
];

const ambiguous: Rejected[] = [
  ['the certificate twice', proxy, [cert, ...forged, secretLine], 'x-ssl-client-cert appears 2 times'],
  ['another certificate before it', proxy, [otherCert, ...forged, secretLine], 'x-ssl-client-cert appears 2 times'],
  ['another certificate after it', proxy, [...forged, otherCert, secretLine], 'x-ssl-client-cert appears 2 times'],
  [
    'an empty certificate before it',
    proxy,
    ['x-ssl-client-cert:', ...forged, secretLine],
    'x-ssl-client-cert appears 2 times',
  ],
  ['three certificates', proxy, [cert, cert, ...forged, secretLine], 'x-ssl-client-cert appears 3 times'],
  ['the verification twice', proxy, [...forged, verification, secretLine], 'x-ssl-client-verify appears 2 times'],
  [
    'two verifications',
    proxy,
    [...forged, 'X-SSL-Client-Verify: NONE', secretLine],
    'x-ssl-client-verify appears 2 times',
  ],
  [
    'two certificates in a list',
    proxy,
    [`${cert}, ${cert}`, verification, secretLine],
    'an unescaped character that the terminator escapes',
  ],
  [
    'a verification alone',
    proxy,
    [verification, secretLine],
    'x-ssl-client-verify is "SUCCESS", but x-ssl-client-cert contains no certificate',
  ],
  ['underscores', proxy, [...named('X_SSL_Client_Cert', 'X_SSL_Client_Verify')(victim), secretLine], nothing],
  ['dots', proxy, [...named('X.SSL.Client.Cert', 'X.SSL.Client.Verify')(victim), secretLine], nothing],
  ['another format', proxy, [`Client-Cert: :${Buffer.from(victim.der).toString('base64')}:`, secretLine], nothing],
];

const unverified = (value: string) => `the certificate's chain is not verified: x-ssl-client-verify is "${value}"`;
const failedVerifications: Rejected[] = [
  'NONE',
  'FAILED:self-signed certificate',
  'success',
  'SUCCESS,NONE',
  'SUCCESSFUL',
  '1',
  '',
].map((value) => [
  `the verification "${value}"`,
  proxy,
  [cert, `X-SSL-Client-Verify: ${value}`, secretLine],
  unverified(value),
]);
const noVerification: Rejected = [
  'no verification',
  proxy,
  [cert, secretLine],
  "the certificate's chain is not verified: x-ssl-client-verify is absent",
];

describeWith(['redis-server'], 'a certificate header that bypasses nginx', () => {
  let server: AuthorizationServer;
  const responses: HttpResponse[] = [];
  const tokensOfControls: unknown[] = [];

  beforeAll(async () => {
    server = await startAuthorizationServer({
      env: {
        COUNTERSIGN_CHAIN_VERIFIED_BY: 'header',
        COUNTERSIGN_LISTEN: '127.0.0.1:0',
        COUNTERSIGN_TRUSTED_PROXIES: `${proxy}/32`,
        COUNTERSIGN_PROXY_SECRET: secret,
      },
    });
    await server.register({
      client_id: 'chained',
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=victim',
    });
    await server.register({
      client_id: 'self-signed',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      certificates: [{ thumbprint: victim.thumbprint }],
    });
  });
  afterAll(() => server?.stop());

  async function ask(clientId: string, localAddress: string, lines: string[]) {
    const request = { lines: ['Content-Type: application/x-www-form-urlencoded', ...lines], body: formOf(clientId) };
    const { response, events } = await server.watch(() => sendRequest(server.url, request, { localAddress }));
    responses.push(response);
    return { response, events };
  }

  async function expectToken(clientId: string, lines: string[]) {
    const { response, events } = await ask(clientId, proxy, lines);
    expect(response.status).toBe(200);
    expect(events).toMatchObject([{ event: 'token_issued', client_id: clientId, thumbprint: victim.thumbprint }]);
    tokensOfControls.push(events[0]?.jti);
  }

  async function expectRejected(clientId: string, from: string, lines: string[], reason: string) {
    const { response, events } = await ask(clientId, from, lines);
    expect([response.status, response.json().error]).toEqual([400, 'invalid_client']);
    expect(events).toMatchObject([{ event: 'token_rejected', peer: from, reason: expect.stringContaining(reason) }]);
  }

  describe('gets no token', () => {
    test.each([...untrustedPeers, ...withoutSecret, ...ambiguous])('%s', async (_title, from, lines, reason) => {
      for (const clientId of ['chained', 'self-signed']) await expectRejected(clientId, from, lines, reason);
      for (const clientId of ['chained', 'self-signed']) await expectToken(clientId, [...forged, secretLine]);
    });

    test.each([...failedVerifications, noVerification])('for a name, with %s', async (_title, from, lines, reason) => {
      await expectRejected('chained', from, lines, reason);
      await expectToken('self-signed', lines);
    });

    test.each([
      ['FAILED:certificate revoked', 'verification_revoked'],
      ['FAILED:permitted subtree violation', 'verification_names_excluded'],
      ['FAILED:certificate has expired', 'verification_failed'],
      ['FAILED', 'verification_failed'],
      ['23', 'verification_revoked'],
    ])('if the terminator rejects the certificate (%s), even if it is registered', async (value, code) => {
      const lines = [cert, `X-SSL-Client-Verify: ${value}`, secretLine];
      await expectRejected('chained', proxy, lines, unverified(value));
      await expectRejected('self-signed', proxy, lines, 'the terminator rejected the certificate: x-ssl-client-verify');
      const { events } = await ask('self-signed', proxy, lines);
      expect(events).toMatchObject([{ code }]);
      await expectToken('self-signed', [...forged, secretLine]);
    });

    test.each([
      'x-ssl-client-cert',
      'X-SSL-Client-Verify',
      'close, X-SSL-Client-Cert',
      'X-Countersign-Proxy-Secret,close',
    ])('with Connection: %s', async (tokens) => {
      for (const clientId of ['chained', 'self-signed']) {
        const { response, events } = await ask(clientId, proxy, [...forged, secretLine, `Connection: ${tokens}`]);
        expect([response.status, response.json().error]).toEqual([400, 'invalid_request']);
        expect(events).toMatchObject([
          { event: 'token_rejected', reason: expect.stringMatching(/^Connection names x-/) },
        ]);
        await expectToken(clientId, [...forged, secretLine, 'Connection: close']);
      }
    });

    test('in early data', async () => {
      const { response, events } = await ask('chained', proxy, [...forged, secretLine, 'Early-Data: 1']);
      expect([response.status, response.json().error]).toEqual([425, 'invalid_request']);
      expect(events).toMatchObject([{ reason: 'Early-Data is set: the request may be a replay' }]);
      await expectToken('chained', [...forged, secretLine, 'Early-Data:']);
    });

    test.each([
      ['folded', ['X-Other: 1', ` ${cert}`, ` ${verification}`, secretLine]],
      ['with a space before the colon', [...named('X-SSL-Client-Cert ', 'X-SSL-Client-Verify ')(victim), secretLine]],
      ['with a bare line feed', [`X-Other: 1\n${cert}\n${verification}`, secretLine]],
    ])('%s, because that is not HTTP', async (_title, lines) => {
      const { response, events } = await ask('chained', proxy, lines);
      expect([response.status, response.json().error, events]).toEqual([400, 'invalid_request', []]);
    });
  });

  test('got no token in the whole test, except from the proxy with its secret', () => {
    const issued = server.countersign.auditEvents().filter(({ event }) => event === 'token_issued');
    expect(tokensOfControls.length).toBeGreaterThan(untrustedPeers.length + withoutSecret.length);
    expect(responses.flatMap(tokenIdsIn)).toEqual(tokensOfControls);
    expect(issued.map(({ jti, peer }) => [jti, peer])).toEqual(tokensOfControls.map((jti) => [jti, proxy]));
  });
});
