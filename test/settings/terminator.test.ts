import { describe, expect, test } from 'vitest';
import { Settings } from '../../src/settings/settings.ts';
import { readForwardedFields } from '../../src/settings/terminator.ts';
import type { ChainVerification } from '../../src/terminator/terminator.ts';

type Environment = Readonly<Record<string, string>>;

function read(env: Environment) {
  const prefixed = Object.fromEntries(Object.entries(env).map(([name, value]) => [`COUNTERSIGN_${name}`, value]));
  const settings = new Settings(prefixed);
  return { fields: readForwardedFields(settings), faults: settings.problems };
}

const ca = { CLIENT_CA_FILE: '/ca.pem' };
const verdict = { CHAIN_VERIFIED_BY: 'header' };
const declared = { CHAIN_VERIFIED_BY: 'terminator' };
const saysIn = (by: ChainVerification['by'], header: string, successValue = 'SUCCESS') => ({
  by,
  fields: [{ header, successValue }],
});
const nobody = (fix: string) => ({ by: 'none', fix: expect.stringContaining(fix) });

describe('who verifies the chain', () => {
  test.each<[Environment, object]>([
    // We do, and where the terminator has a word for it, it must agree.
    [{ TERMINATOR: 'nginx', ...ca }, saysIn('countersign', 'x-ssl-client-verify')],
    [{ TERMINATOR: 'nginx', ...ca, CHAIN_VERIFIED_BY: 'countersign' }, saysIn('countersign', 'x-ssl-client-verify')],
    [{ TERMINATOR: 'haproxy', ...ca, VERIFY_HEADER: 'X-Verify' }, saysIn('countersign', 'x-verify', '0')],
    [{ TERMINATOR: 'rfc9440', ...ca, VERIFY_HEADER: 'X-Verify' }, saysIn('countersign', 'x-verify')],
    [
      { TERMINATOR: 'envoy', ...ca },
      { by: 'countersign', fields: [] },
    ],
    [
      { TERMINATOR: 'aws-alb-passthrough', ...ca },
      { by: 'countersign', fields: [] },
    ],
    // Others, said aloud.
    [{ TERMINATOR: 'nginx', ...verdict }, saysIn('header', 'x-ssl-client-verify')],
    [{ TERMINATOR: 'nginx', ...verdict, VERIFY_HEADER: 'X-Verify' }, saysIn('header', 'x-verify')],
    [{ TERMINATOR: 'haproxy', ...verdict }, saysIn('header', 'x-ssl-client-verify', '0')],
    [{ TERMINATOR: 'rfc9440', ...verdict, VERIFY_HEADER: 'X-Verify' }, saysIn('header', 'x-verify')],
    [
      { TERMINATOR: 'rfc9440', ...declared },
      { by: 'terminator', fields: [] },
    ],
    [
      { TERMINATOR: 'envoy', ...declared },
      { by: 'terminator', fields: [] },
    ],
    // What the terminator itself says of a certificate is not overruled by a declaration.
    [{ TERMINATOR: 'nginx', ...declared }, saysIn('header', 'x-ssl-client-verify')],
    [{ TERMINATOR: 'rfc9440', ...declared, VERIFY_HEADER: 'X-Verify' }, saysIn('header', 'x-verify')],
    // Nobody, where nothing was said.
    [{ TERMINATOR: 'nginx' }, nobody('COUNTERSIGN_CLIENT_CA_FILE is not set')],
    [{ TERMINATOR: 'envoy' }, nobody('COUNTERSIGN_CLIENT_CA_FILE is not set')],
    [{ TERMINATOR: 'aws-alb-passthrough' }, nobody('that it has not verified; set COUNTERSIGN_CLIENT_CA_FILE')],
  ])('%j: %j', (env, verification) => {
    expect(read(env)).toMatchObject({ fields: { verification }, faults: [] });
  });

  test.each<[Environment, string]>([
    [{}, 'COUNTERSIGN_TERMINATOR is missing'],
    [{ TERMINATOR: 'iis' }, '"iis" is not one of: nginx'],
    [
      { TERMINATOR: 'envoy', CHAIN_VERIFIED_BY: 'header' },
      'COUNTERSIGN_CHAIN_VERIFIED_BY is header, but envoy forwards no verification header',
    ],
    [{ TERMINATOR: 'nginx', CHAIN_VERIFIED_BY: 'countersign' }, 'COUNTERSIGN_CLIENT_CA_FILE is missing'],
    [{ TERMINATOR: 'nginx', ...verdict, ...ca }, 'COUNTERSIGN_CLIENT_CA_FILE would have no effect'],
    [{ TERMINATOR: 'envoy', ...declared, ...ca }, 'COUNTERSIGN_CLIENT_CA_FILE would have no effect'],
    [{ TERMINATOR: 'envoy', CHAIN_VERIFIED_BY: 'nobody' }, '"nobody" is not one of'],
    [{ TERMINATOR: 'aws-alb-passthrough', CHAIN_VERIFIED_BY: 'terminator' }, 'that it has not verified'],
    [{ TERMINATOR: 'aws-alb-passthrough', VERIFY_HEADER: 'X-Verify' }, 'that it has not verified'],
    [{ TERMINATOR: 'azure-app-service', CHAIN_VERIFIED_BY: 'terminator' }, 'that it has not verified'],
    [{ TERMINATOR: 'nginx', CHAIN_HEADER: 'X-Chain' }, 'nginx does not forward the chain in a header of its own'],
    [{ TERMINATOR: 'nginx', VERIFY_HEADER: 'X-SSL-Client-Cert' }, 'VERIFY_HEADER is x-ssl-client-cert'],
    [{ TERMINATOR: 'rfc9440', CHAIN_HEADER: 'Client-Cert' }, 'CHAIN_HEADER is client-cert'],
    [{ TERMINATOR: 'rfc9440', CHAIN_HEADER: 'Connection' }, 'meaning of its own'],
  ])('refused: %j: %s', (env, fault) => {
    const { faults } = read(env);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(fault);
  });
});

test('headers can be renamed', () => {
  const { fields } = read({ TERMINATOR: 'rfc9440', CERTIFICATE_HEADER: 'X-Leaf', CHAIN_HEADER: 'X-Chain' });
  expect(fields).toMatchObject({ certificateHeader: 'x-leaf', chainHeader: 'x-chain' });
});
