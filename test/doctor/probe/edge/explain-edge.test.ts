import { expect, test } from 'vitest';
import type { EffectiveConfig, ForwardingConfig } from '../../../../src/doctor/observer/effective-config.ts';
import type { Observation } from '../../../../src/doctor/observer/observe.ts';
import { generateClientKeyPair } from '../../../../src/doctor/probe/client-key-pair.ts';
import { type EdgeEvidence, evaluateEvidence } from '../../../../src/doctor/probe/edge/edge-evidence.ts';
import { type EdgeTrialResult, protectedRoute } from '../../../../src/doctor/probe/edge/edge-trials.ts';
import { describeUnobserved } from '../../../../src/doctor/probe/edge/explain-edge.ts';
import { nothingForged } from '../../../../src/doctor/probe/forgeries/forgery.ts';

const url = 'https://api.example/orders/';
const edge: ForwardingConfig = {
  terminator: 'nginx',
  certificate_header: 'x-ssl-client-cert',
  chain_header: null,
  verification: { by: 'countersign', fields: [] },
  proxy_trust: 'Unix socket',
};
const server: EffectiveConfig = { ...edge, issuer: url, mtls_url: url, listens_on: 'unix:/run/public.sock', edge };
const clientKeyPair = { ...(await generateClientKeyPair()), generated: false };
const { thumbprint } = clientKeyPair;

const accepted: Observation = {
  request: '',
  peer: 'unix',
  proxy_trust: { trusted: true },
  fields: [
    {
      name: 'x-ssl-client-cert',
      bytes: 1,
      value: 'own',
      digest: 'own',
      certificate: { formats: ['nginx'], thumbprint },
    },
  ],
  outcome: { kind: 'accepted', subject: 'CN=own', thumbprint, chain: { verified: true, reason: '' } },
};

/** The explanation of a baseline that was denied with this code. */
function explain(error: string, evidence: Pick<EdgeEvidence, 'checks' | 'baselineChecks'>): string | undefined {
  const denied: EdgeTrialResult = {
    route: protectedRoute(url, undefined),
    presented: 'own',
    protocol: 'http/1.1',
    forgery: nothingForged,
    response: { kind: 'answered', status: 403, error, description: undefined, fieldNames: [] },
    arrival: undefined,
  };
  const handshake = {
    route: denied.route.name,
    url,
    connected_to: 'api.example:443',
    server_name: 'api.example',
    tls_version: 'TLSv1.3',
    http2: false,
    client_certificate_requested: true,
    failure: null,
  };
  const [explanation] = describeUnobserved(
    evaluateEvidence({
      url,
      effectiveConfigs: [server],
      edge,
      clientKeyPair,
      thumbprints: { own: thumbprint, untrusted: 'untrusted', forged: 'forged' },
      handshakes: [handshake],
      baseline: [denied],
      forged: [],
      repeated: [],
      ...evidence,
    }),
  );
  return explanation;
}

test('a check with an unknown route is explained by the route, not by the certificate', () => {
  expect(explain('unknown_route', { checks: [], baselineChecks: [] })).toMatch(
    /let the proxy send the check to \/edge\//,
  );
});

test('a check that a forgery caused is not taken for one of the baseline', () => {
  const without = explain('insufficient_scope', { checks: [accepted], baselineChecks: [] });
  expect(without).toMatch('no check with it reached the edge');
  const withCheck = explain('insufficient_scope', { checks: [accepted], baselineChecks: [accepted] });
  expect(withCheck).toMatch('although the edge accepted the certificate');
});
