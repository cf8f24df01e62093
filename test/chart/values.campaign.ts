import { beforeAll, describe, expect, test } from 'vitest';
import { helmVersions, kubernetesTools, renderError } from './helm.ts';

beforeAll(() => {
  for (const version of helmVersions) kubernetesTools(version);
}, 600_000);

const variablesFrom = (prefix: string): [string, Record<string, unknown>, string] => [
  `variables with the prefix "${prefix}"`,
  { extraEnvFrom: [{ prefix, secretRef: { name: 'tracing' } }] },
  'extraEnvFrom takes every variable of tracing',
];

/** Values beside those of `ci/files-values.yaml`, and what the message contains: the value, and for most the fix. */
const rejected: readonly [what: string, values: Record<string, unknown>, ...message: string[]][] = [
  [
    'no proof of the gateway',
    { proxyTrust: { secretRef: { name: '' } } },
    'proxyTrust states no proof',
    'Set proxyTrust.secretRef.name to a Secret',
    'or proxyTrust.gatewayCertificate',
  ],
  ['no image', { image: { repository: '' } }, 'image.repository is missing: build the image from deploy/Dockerfile'],
  [
    'a client CA in a ConfigMap and in a Secret',
    { clientCa: { secretRef: { name: 'ca' } } },
    'clientCa.configMapRef and clientCa.secretRef are both set: remove one',
  ],
  ['no issuer', { issuer: '' }, 'issuer is missing: set it to the URL', 'https://auth.example'],
  ['an issuer without TLS', { issuer: 'http://auth.example' }, 'issuer', 'https://.+'],
  ['no terminator', { terminator: '' }, 'terminator is missing: set it to the proxy'],
  ['an unknown terminator', { terminator: 'ngnix' }, 'terminator'],
  [
    'no pods of the gateway',
    { networkPolicy: { gateway: [] } },
    'networkPolicy.gateway is missing: set it to the pods',
  ],
  ['no signing key', { signingKeys: { secretRef: { name: '' } } }, 'signingKeys is missing: set'],
  [
    'two sources of signing keys',
    { signingKeys: { directory: { secretName: 'keys' } } },
    'signingKeys has several sources: set one',
  ],
  [
    'a keyring in Redis without Redis',
    { signingKeys: { secretRef: { name: '' }, keyEncryptionKeySecretRef: { name: 'key' } } },
    'redis.urlSecretRef.name is missing',
  ],
  ['no clients', { clients: { files: null } }, 'there are no clients: set clients.configMaps'],
  [
    'records for Redis without an administrator',
    { redis: { urlSecretRef: { name: 'redis' } } },
    'redis.adminUrlSecretRef.name is missing',
    'or remove clients.files',
  ],
  [
    'a gateway certificate without HTTPS',
    { proxyTrust: { gatewayCertificate: { thumbprints: ['AB'] } } },
    'proxyTrust.gatewayCertificate.serverSecretName is missing',
  ],
  [
    'a CA without names',
    { proxyTrust: { gatewayCertificate: { serverSecretName: 'tls', caSecretRef: { name: 'ca' } } } },
    'proxyTrust.gatewayCertificate.names is missing',
  ],
  [
    'names without a CA',
    { proxyTrust: { gatewayCertificate: { serverSecretName: 'tls', names: ['gateway.example'] } } },
    'caSecretRef.name is missing',
  ],
  [
    'a certificate over a Unix socket',
    { proxyTrust: { unixSocket: { enabled: true }, gatewayCertificate: { serverSecretName: 'tls' } } },
    'exclude each other',
    'service.targetPort is missing',
  ],
  [
    'the operations listener behind the Service',
    { service: { targetPort: 9090 } },
    'service.targetPort is 9090, which',
  ],
  [
    'the edge listener behind the Service',
    { edge: { enabled: true }, service: { targetPort: 'edge' } },
    'service.targetPort is edge, which is not for clients: remove it',
  ],
  ['no trusted addresses', { proxyTrust: { addresses: [] } }, 'proxyTrust.addresses is empty: set it'],
  [
    'a grace period shorter than the drain',
    { drainDelaySeconds: 30, terminationGracePeriodSeconds: 30 },
    'terminationGracePeriodSeconds is too short',
    'set it to 45 or more',
  ],
  [
    'a maximum of replicas below the minimum',
    { autoscaling: { minReplicas: 5, maxReplicas: 3 } },
    'autoscaling.maxReplicas is below autoscaling.minReplicas',
  ],
  [
    'a test client without a certificate',
    { tests: { client: { clientId: 'billing' } } },
    'tests.client.certificateSecretName is missing',
  ],
  ['an unknown value', { replicas: 3 }, 'replicas'],
  ['an unknown value in a group', { proxyTrust: { secret: 'x' } }, 'proxyTrust', 'secret'],
  ['a misspelled setting', { settings: { LOG_LEVL: 'warn' } }, 'settings', 'LOG_LEVL'],
  ['a setting that the chart sets', { settings: { LISTEN: '0.0.0.0:80' } }, 'settings', 'LISTEN'],
  ['a secret among the settings', { settings: { PROXY_SECRET: 'x'.repeat(40) } }, 'settings', 'PROXY_SECRET'],
  ['weaker pods', { podSecurityContext: { runAsNonRoot: false } }, 'podSecurityContext', 'runAsNonRoot'],
  ['root as the user', { podSecurityContext: { runAsUser: 0 } }, 'runAsUser'],
  [
    'a setting among the variables',
    { extraEnv: [{ name: 'COUNTERSIGN_TRUSTED_PROXIES', value: '0.0.0.0/0' }] },
    'extraEnv contains COUNTERSIGN_TRUSTED_PROXIES',
    'remove it, and use the value that the chart has for it, or settings',
  ],
  [
    'variables that may be settings',
    { extraEnvFrom: [{ configMapRef: { name: 'tracing' } }] },
    'extraEnvFrom takes every variable of tracing, which could replace how the gateway is trusted',
    'set its prefix to that of other variables, such as OTEL_, or name each variable in extraEnv',
  ],
  ...['COUNTERSIGN_', 'COUNTER', 'NODE_', 'LD_', ''].map(variablesFrom),
  [
    'IPv6 without addresses of pods',
    { listenAddress: '[::]' },
    'proxyTrust.addresses has no IPv6 addresses, although listenAddress is [::]: add those of the pods',
  ],
  [
    'an IPv6 gateway in front of IPv4 pods',
    { proxyTrust: { addresses: ['10.0.0.0/8', 'fd00::/16'] } },
    'listenAddress is 0.0.0.0, although proxyTrust.addresses has fd00::/16: set it to [::]',
  ],
  [
    'a Service with both families in front of IPv4 pods',
    { service: { ipFamilyPolicy: 'PreferDualStack' } },
    'listenAddress is 0.0.0.0, although the Service has IPv6: set it to [::]',
  ],
  ['a name among the addresses', { proxyTrust: { addresses: ['gateway.example'] } }, 'proxyTrust', 'addresses'],
  [
    'a SELinux type beyond containers',
    { podSecurityContext: { seLinuxOptions: { type: 'spc_t' } } },
    'seLinuxOptions',
    'container_t',
  ],
  ['a group that is removed', { proxyTrust: null }, 'meet the specifications', 'proxyTrust'],
  ['a switch that is removed', { networkPolicy: { enabled: null } }, 'meet the specifications', 'enabled'],
  [
    'a name that no Service can have',
    { fullnameOverride: '1-token_server' },
    '1-token_server is not a name for a Service: set fullnameOverride',
  ],
  ['a type that differs', { replicaCount: 'two' }, 'replicaCount'],
  ['a tag as the digest', { image: { digest: 'latest' } }, 'digest'],
  ['a file that is not one of records', { clients: { files: { 'billing.txt': '' } } }, 'files', 'billing.txt'],
];

describe.each(helmVersions)('the chart is rejected by Helm %i with', (version) => {
  test.each(rejected)('%s', async (_, values, ...message) => {
    const error = await renderError(version, { file: 'files-values.yaml', values });
    for (const part of message) expect(error.replaceAll(/\s+/g, ' ')).toContain(part);
  });

  test('every problem at once, if no value is set', async () => {
    const error = await renderError(version, {});
    for (const missing of [
      'image.repository',
      'issuer',
      'terminator',
      'proxyTrust',
      'signingKeys',
      'clients',
      'networkPolicy.gateway',
    ])
      expect(error).toMatch(new RegExp(`^- .*${missing}`, 'm'));
  });
});
