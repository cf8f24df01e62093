import { afterEach, beforeAll, expect, test } from 'vitest';
import { createTestCa } from '../support/certificates.ts';
import { type RunningCountersign, runCountersign, startCountersign } from '../support/countersign.ts';
import { describeWith } from '../support/describe-with.ts';
import { openssl } from '../support/openssl.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';
import { runProgram } from '../support/run-program.ts';
import { kubernetesTools, renderChart } from './helm.ts';
import { find, type Manifest } from './manifest.ts';
import { type Contents, mountPod } from './mounted-pod.ts';

/**
 * The processes of a release, on this machine: each with the arguments, the environment and the files that its pod has. Only
 * the addresses differ.
 */

const ca = createTestCa();
const client = ca.issue({
  subject: [
    ['O', 'company'],
    ['CN', 'billing'],
  ],
});
const gateway = ca.issue({ subject: [['CN', 'gateway']], eku: 'client' });
const server = { subject: [['CN', 'countersign']], eku: 'server' } as const;
const brainpoolCa = createTestCa({ keyType: 'ec-brainpool-p256r1', subject: [['CN', 'Brainpool CA']] });
const chainOnBrainpool = () => {
  const { pem, privateKeyPem } = brainpoolCa.issue(server);
  return { pem: pem + brainpoolCa.pem, privateKeyPem };
};
const pair = ({ pem, privateKeyPem }: Pick<typeof client, 'pem' | 'privateKeyPem'>) => ({
  'tls.crt': pem,
  'tls.key': privateKeyPem,
});
let contents: Contents;
let running: RunningCountersign | undefined;

beforeAll(async () => {
  kubernetesTools(4);
  contents = {
    'client-ca': { 'ca.crt': ca.pem },
    'proxy-secret': { 'proxy-secret': 's'.repeat(40) },
    'signing-key': { 'signing-key.pem': await openssl(['genpkey', '-algorithm', 'ed25519']) },
    billing: pair(client),
    gateway: pair(gateway),
    'countersign-tls': pair(ca.issue(server)),
    // Where Node's TLS client reads such a chain after the handshake, the process ends with a segmentation fault.
    'countersign-tls-on-brainpool': pair(chainOnBrainpool()),
    redis: { url: redisUrl() },
  };
}, 600_000);
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const testClient = { clientId: 'billing', certificateSecretName: 'billing' };
const render = (values: Record<string, unknown>) =>
  renderChart(4, {
    file: 'files-values.yaml',
    values: { tests: { client: testClient }, ...values },
  });

/** Starts the server of a release. It trusts this machine in place of the gateway's pods. */
async function startServer(manifests: readonly Manifest[]): Promise<RunningCountersign> {
  const { args, env } = mountPod(manifests, find(manifests, 'Deployment'), contents);
  const addresses = { COUNTERSIGN_LISTEN: '127.0.0.1:0', COUNTERSIGN_OPERATIONS_LISTEN: '127.0.0.1:0' };
  const trusted = { COUNTERSIGN_TRUSTED_PROXIES: '127.0.0.1', COUNTERSIGN_DRAIN_DELAY: '0' };
  running = await startCountersign({ args, env: { ...env, ...trusted, ...addresses } });
  return running;
}

/** Runs the pod of `helm test` against it. */
async function runTest(manifests: readonly Manifest[], { url, auditEvents }: RunningCountersign) {
  const { command, env } = mountPod(manifests, find(manifests, 'Pod', '-test'), contents);
  const [, ...args] = command;
  const { FILES = '' } = env;
  const finished = await runProgram(process.execPath, args, { env: { ...env, FILES, SERVICE_URL: url } });
  return { ...finished, reason: auditEvents().at(-1)?.reason };
}

test.each(['nginx', 'ingress-nginx', 'envoy', 'istio', 'haproxy', 'apache', 'caddy', 'traefik', 'rfc9440'])(
  'a release behind %s passes helm test',
  async (terminator) => {
    const manifests = await render({ terminator });
    const { code, stdout, stderr, reason } = await runTest(manifests, await startServer(manifests));
    expect([code, stderr, reason]).toEqual([0, '', undefined]);
    expect(`${stdout}`.trim().split('\n')).toEqual([
      'ok: the metadata is that of https://auth.example',
      'ok: the JWKS has 1 key',
      'ok: billing gets a token that is bound to its certificate',
    ]);
  },
);

test.each(['countersign-tls', 'countersign-tls-on-brainpool'])(
  'a release with a gateway certificate and another header passes helm test over HTTPS with %s',
  async (serverSecretName) => {
    const gatewayCertificate = { serverSecretName, thumbprints: [gateway.thumbprint] };
    const manifests = await render({
      terminator: 'envoy',
      proxyTrust: { secretRef: { name: '' }, gatewayCertificate },
      settings: { CERTIFICATE_HEADER: 'X-Company-Certificate', VERIFY_HEADER: 'X-Company-Verify' },
      tests: { client: { ...testClient, gatewaySecretName: 'gateway' } },
    });
    const { code, stdout, stderr, reason } = await runTest(manifests, await startServer(manifests));
    expect([code, stderr, reason]).toEqual([0, '', undefined]);
    expect(`${stdout}`).toContain('ok: billing gets a token');
  },
);

test('helm test fails if the proxy secret differs, and names the log', async () => {
  const manifests = await render({});
  const service = await startServer(manifests);
  contents = { ...contents, 'proxy-secret': { 'proxy-secret': 'x'.repeat(40) } };
  const { code, stderr } = await runTest(manifests, service);
  contents = { ...contents, 'proxy-secret': { 'proxy-secret': 's'.repeat(40) } };
  expect(code).toBe(1);
  expect(stderr).toContain('/token: HTTP 400 {"error":"invalid_client"');
  expect(stderr).toContain('the log of the server has the reason');
});

test('helm test sends no request to a server with another certificate of the same CA', async () => {
  const gatewayCertificate = { serverSecretName: 'countersign-tls-on-brainpool', thumbprints: [gateway.thumbprint] };
  const manifests = await render({
    proxyTrust: { secretRef: { name: '' }, gatewayCertificate },
    tests: { client: { ...testClient, gatewaySecretName: 'gateway' } },
  });
  const service = await startServer(manifests);
  const expected = contents;
  contents = { ...expected, 'countersign-tls-on-brainpool': pair(chainOnBrainpool()) };
  const { code, stderr } = await runTest(manifests, service);
  contents = expected;
  expect([code, stderr]).toEqual([1, expect.stringContaining('certificate')]);
  expect(service.auditEvents()).toEqual([]);
});

test('helm test fails if the issuer of the server is another one', async () => {
  const service = await startServer(await render({}));
  const { code, stderr } = await runTest(await render({ issuer: 'https://other.example' }), service);
  expect(code).toBe(1);
  expect(stderr).toContain('the metadata has the issuer https://auth.example, expected https://other.example');
});

test.each<[string, number, Record<string, unknown>]>([
  ['valid records', 0, {}],
  ['an invalid record', 1, { clients: { files: { 'billing.yaml': { clients: [{ client_id: 'billing' }] } } } }],
  ['an invalid setting', 2, { settings: { REQUIRE_CA_PIN: 'maybe' } }],
])('the container that checks the records without Redis has for %s the exit code %i', async (_, expected, values) => {
  const redis = { urlSecretRef: { name: 'redis' }, adminUrlSecretRef: { name: 'redis' } };
  const manifests = await render({ redis, ...values });
  const { args, env } = mountPod(manifests, find(manifests, 'Job'), contents, 'check-clients');
  expect(Object.keys(env).filter((name) => name.includes('REDIS'))).toEqual([]);
  const { code, stdout, stderr } = await runCountersign(args, { env });
  expect(code, stdout + stderr).toBe(expected);
});

describeWith(['redis-server'], 'a release with records in Redis', () => {
  test('passes helm test once its Job has applied the records', async () => {
    const manifests = await render({
      redis: { urlSecretRef: { name: 'redis' }, adminUrlSecretRef: { name: 'redis' }, keyPrefix: keyPrefix() },
    });
    const service = await startServer(manifests);
    const before = await runTest(manifests, service);
    expect([before.code, before.stderr]).toEqual([1, expect.stringContaining('invalid_client')]);
    const { args, env } = mountPod(manifests, find(manifests, 'Job'), contents);
    const applied = await runCountersign(args, { env });
    expect([applied.code, applied.stderr], applied.stdout).toEqual([0, expect.not.stringContaining('error')]);
    const { code, stderr, reason } = await runTest(manifests, service);
    expect([code, stderr, reason]).toEqual([0, '', undefined]);
  });
});
