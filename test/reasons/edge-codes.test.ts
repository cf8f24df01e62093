import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseCaCertificate } from '../../src/pki/certificate/ca-certificate.ts';
import { createTrustStore } from '../../src/pki/path/trust-store.ts';
import type { ReasonCode } from '../../src/reasons/reasons.ts';
import { type EdgeServer, ISSUER, startEdge } from '../edge/edge-server.ts';
import { createTestCa, selfSigned } from '../support/certificates.ts';
import { sendRequest } from '../support/raw-http.ts';
import { registeredClient } from '../support/registered-client.ts';

const ca = createTestCa();
const own = selfSigned();
const shared = selfSigned();
const record = (client_id: string, { pem }: typeof own) =>
  registeredClient({
    client_id,
    certificates: [{ pem }],
    scope: 'read',
    audience: ['https://api.example'],
  });
const claims = () => {
  const iat = Math.floor(Date.now() / 1000);
  const cnf = { 'x5t#S256': own.thumbprint };
  return {
    iss: ISSUER,
    sub: 'a',
    aud: 'https://api.example',
    client_id: 'a',
    iat,
    exp: iat + 60,
    jti: 'x',
    scope: 'read',
    cnf,
  };
};

let edge: EdgeServer;
beforeAll(async () => {
  const clients = [record('a', own), record('b', shared), record('c', shared)];
  edge = await startEdge({ clients, resources: [{ name: 'api', forward: 'original' }] });
  edge.replaced.trust = createTrustStore([parseCaCertificate(ca.der)]);
});
afterAll(() => edge.close());

async function check(path: string, certificate = own, lines: readonly string[] = []): Promise<number> {
  const forwarded = `X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`;
  return (await sendRequest(edge.url, { method: 'GET', path, lines: [forwarded, ...lines] })).status;
}

async function verify(changes: object): Promise<number> {
  const token = await edge.signingKey.sign({ ...claims(), ...changes } as never);
  return check('/edge/verify/api', own, [`Authorization: Bearer ${token}`]);
}

test.each<[ReasonCode, () => Promise<number>]>([
  ['route_unknown', () => check('/edge')],
  ['resource_unknown', () => check('/edge/mint/other')],
  ['authorization_missing', () => check('/edge/verify/api')],
  ['bearer_malformed', () => check('/edge/verify/api', own, ['Authorization: Basic YTpi'])],
  ['certificate_client_unknown', () => check('/edge/mint/api', ca.issue())],
  ['certificate_ambiguous', () => check('/edge/mint/api', shared)],
  ['token_unbound', () => verify({ cnf: undefined })],
  ['token_audience_mismatch', () => verify({ aud: 'https://other.example' })],
  ['token_certificate_mismatch', () => verify({ cnf: { 'x5t#S256': shared.thumbprint } })],
  ['token_scope_insufficient', () => verify({ scope: 'write' })],
])('%s is the code of a check', async (code, request) => {
  expect([401, 403, 503]).toContain(await request());
  expect(edge.events.at(-1)?.code).toBe(code);
});
