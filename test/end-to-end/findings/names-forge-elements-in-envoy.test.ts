import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CertificateOptions, selfSigned } from '../../support/certificates.ts';
import { type Deployment, startDeployment } from '../../support/deployment.ts';
import { describeWith } from '../../support/describe-with.ts';
import { startShippedEnvoy } from '../../support/envoy.ts';
import { freePort } from '../../support/free-port.ts';
import { echoedValues, type HeaderEcho, startHeaderEcho } from '../../support/header-echo.ts';
import type { RunningTerminator } from '../../support/shipped-terminator.ts';

const victim = selfSigned({ subject: [['CN', 'victim']] });
const hash = createHash('sha256').update(victim.der).digest('hex');
const element = `Hash=${hash};Cert="${encodeURIComponent(victim.pem)}"`;

/** Names that a client can obtain from a CA that only checks the start of a URI, or little of a DNS name. */
const forgeries: [string, CertificateOptions][] = [
  ['an element after its URI', { uris: [`spiffe://x,${element}`] }],
  ['an element behind its DNS name', { dns: [`x,${element}`] }],
  ['a Cert after its URI', { uris: [`spiffe://x;Cert="${encodeURIComponent(victim.pem)}"`] }],
  ['a Hash and a Cert after its URI', { uris: [`spiffe://x;${element}`] }],
  ['a Hash and a Cert behind its DNS name', { dns: [`x;${element}`] }],
  ['an element after its second URI', { uris: ['spiffe://x', `spiffe://y,${element}`] }],
  ['an element that includes the following text', { uris: [`spiffe://x,${element};Subject="`], dns: ['"'] }],
];

/** Details that the operator enabled, and headers from the client to which Envoy appends. */
const configurations: [string, [string, string][], string[]][] = [
  ['cert, uri and dns', [['{ cert: true }', '{ cert: true, uri: true, dns: true }']], []],
  ['uri and dns', [['{ cert: true }', '{ uri: true, dns: true }']], []],
  ['all of them', [['{ cert: true }', '{ cert: true, chain: true, subject: true, uri: true, dns: true }']], []],
  [
    'cert, uri and dns, appended to what a client sends',
    [
      ['{ cert: true }', '{ cert: true, uri: true, dns: true }'],
      ['forward_client_cert_details: SANITIZE_SET', 'forward_client_cert_details: APPEND_FORWARD'],
    ],
    [`X-Forwarded-Client-Cert: ${element}`],
  ],
  [
    'uri, appended to what a client sends and leaves open',
    [
      ['{ cert: true }', '{ uri: true }'],
      ['forward_client_cert_details: SANITIZE_SET', 'forward_client_cert_details: APPEND_FORWARD'],
    ],
    [`X-Forwarded-Client-Cert: ${element};Subject="`],
  ],
];

describeWith(['envoy', 'redis-server'], 'finding 5: a name of the certificate forges an element of the header', () => {
  describe.each(configurations)('with the details %s', (title, replace, lines) => {
    let deployment: Deployment;
    let echo: HeaderEcho;
    let envoyBeforeEcho: RunningTerminator;
    let echoPort: number;
    beforeAll(async () => {
      deployment = await startDeployment({ terminator: 'envoy', replace });
      [echo, echoPort] = [await startHeaderEcho(), await freePort()];
      const { directory } = deployment;
      envoyBeforeEcho = await startShippedEnvoy({ directory, port: echoPort, socket: echo.url, replace });
      await deployment.register({
        client_id: 'victim',
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        certificates: [{ thumbprint: victim.thumbprint }],
      });
    });
    afterAll(async () => {
      await deployment?.stop();
      await envoyBeforeEcho?.stop();
      await echo?.stop();
    });

    test.each(forgeries)('%s gets no token', async (forgery, names) => {
      const identity = deployment.ca.issue({ subject: [['CN', 'attacker']], ...names });
      const request = { lines, body: { grant_type: 'client_credentials', client_id: 'victim' } };
      // The finding: the header contains the forged text as if Envoy had written it.
      const echoed = await deployment.send(request, { identity, port: echoPort });
      const [value = ''] = echoedValues(echoed, 'x-forwarded-client-cert');
      expect(value, title).toContain(
        forgery.startsWith('a Cert') ? `;Cert="${encodeURIComponent(victim.pem)}"` : element,
      );
      // The server does not trust it.
      const { response, event } = await deployment.decide(() => deployment.send(request, { identity }));
      expect([response.status, event.event]).toEqual([400, 'token_rejected']);
      expect(event.reason).toMatch(
        /more than one element|Cert|Hash|a quote|an unexpected character|an unescaped semicolon/,
      );
    });
  });
});
