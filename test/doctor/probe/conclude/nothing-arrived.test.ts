import { expect, test } from 'vitest';
import type { EffectiveConfig } from '../../../../src/doctor/observer/effective-config.ts';
import { nothingArrived } from '../../../../src/doctor/probe/conclude/nothing-arrived.ts';

const forwarding = {
  terminator: 'nginx',
  certificate_header: 'x-ssl-client-cert',
  chain_header: null,
  verification: { by: 'countersign', fields: [] },
  proxy_trust: 'Unix socket',
} as const;
const options = { url: 'https://api.example/orders/', operationsListeners: ['http://127.0.0.1:9090'] } as const;

test.each([
  ['it has', forwarding, true],
  ['it has none', null, false],
] as const)('nothingArrived names --edge only for a server that has one (%s)', (_, edge, isSuggested) => {
  const server: EffectiveConfig = {
    ...forwarding,
    issuer: 'https://auth.example',
    mtls_url: 'https://auth.example',
    listens_on: 'unix:/run/countersign/countersign.sock',
    edge,
  };
  const { message } = nothingArrived([], options, server);
  expect(message).toContain('no request to https://api.example/orders/ arrived');
  expect(message.includes('add --edge')).toBe(isSuggested);
});
