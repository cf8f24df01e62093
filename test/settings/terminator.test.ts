import { describe, expect, test } from 'vitest';
import { Settings } from '../../src/settings/settings.ts';
import { readForwardedFields } from '../../src/settings/terminator.ts';
import type { ChainVerification } from '../../src/terminator/terminator.ts';

type Environment = Readonly<Record<string, string>>;

function read(env: Environment) {
  const prefixed = Object.fromEntries(Object.entries(env).map(([name, value]) => [`COUNTERSIGN_${name}`, value]));
  const settings = new Settings(prefixed);
  return { fields: readForwardedFields(settings), problems: settings.problems };
}

const ca = { CLIENT_CA_FILE: '/ca.pem' };
const byHeader = { CHAIN_VERIFIED_BY: 'header' };
const byTerminator = { CHAIN_VERIFIED_BY: 'terminator' };
const verifiedBy = (by: ChainVerification['by'], header: string, successValue = 'SUCCESS') => ({
  by,
  fields: [{ header, successValue }],
});
const unverified = (fix: string) => ({ by: 'none', fix: expect.stringContaining(fix) });

describe('the verifier of the chain', () => {
  test.each<[Environment, object]>([
    // This server; if the terminator has a verification header, it must agree.
    [{ TERMINATOR: 'nginx', ...ca }, verifiedBy('countersign', 'x-ssl-client-verify')],
    [
      { TERMINATOR: 'nginx', ...ca, CHAIN_VERIFIED_BY: 'countersign' },
      verifiedBy('countersign', 'x-ssl-client-verify'),
    ],
    [{ TERMINATOR: 'haproxy', ...ca, VERIFY_HEADER: 'X-Verify' }, verifiedBy('countersign', 'x-verify', '0')],
    [{ TERMINATOR: 'rfc9440', ...ca, VERIFY_HEADER: 'X-Verify' }, verifiedBy('countersign', 'x-verify')],
    [
      { TERMINATOR: 'envoy', ...ca },
      { by: 'countersign', fields: [] },
    ],
    [
      { TERMINATOR: 'aws-alb-passthrough', ...ca },
      { by: 'countersign', fields: [] },
    ],
    // Another party, declared explicitly.
    [{ TERMINATOR: 'nginx', ...byHeader }, verifiedBy('header', 'x-ssl-client-verify')],
    [{ TERMINATOR: 'nginx', ...byHeader, VERIFY_HEADER: 'X-Verify' }, verifiedBy('header', 'x-verify')],
    [{ TERMINATOR: 'haproxy', ...byHeader }, verifiedBy('header', 'x-ssl-client-verify', '0')],
    [{ TERMINATOR: 'rfc9440', ...byHeader, VERIFY_HEADER: 'X-Verify' }, verifiedBy('header', 'x-verify')],
    [
      { TERMINATOR: 'rfc9440', ...byTerminator },
      { by: 'terminator', fields: [] },
    ],
    [
      { TERMINATOR: 'envoy', ...byTerminator },
      { by: 'terminator', fields: [] },
    ],
    // A declaration does not override what the terminator itself reports.
    [{ TERMINATOR: 'nginx', ...byTerminator }, verifiedBy('header', 'x-ssl-client-verify')],
    [{ TERMINATOR: 'rfc9440', ...byTerminator, VERIFY_HEADER: 'X-Verify' }, verifiedBy('header', 'x-verify')],
    // No one, if nothing is declared.
    [{ TERMINATOR: 'nginx' }, unverified('COUNTERSIGN_CLIENT_CA_FILE is not set')],
    [{ TERMINATOR: 'envoy' }, unverified('COUNTERSIGN_CLIENT_CA_FILE is not set')],
    [{ TERMINATOR: 'aws-alb-passthrough' }, unverified('that it has not verified; set COUNTERSIGN_CLIENT_CA_FILE')],
  ])('is derived from %j: %j', (env, verification) => {
    expect(read(env)).toMatchObject({ fields: { verification }, problems: [] });
  });

  test.each<[Environment, string]>([
    [{}, 'COUNTERSIGN_TERMINATOR: is missing'],
    [{ TERMINATOR: 'iis' }, '"iis" is not one of: nginx'],
    [
      { TERMINATOR: 'envoy', CHAIN_VERIFIED_BY: 'header' },
      'COUNTERSIGN_CHAIN_VERIFIED_BY: is header, but envoy forwards no verification header',
    ],
    [{ TERMINATOR: 'nginx', CHAIN_VERIFIED_BY: 'countersign' }, 'COUNTERSIGN_CLIENT_CA_FILE: is missing'],
    [{ TERMINATOR: 'nginx', ...byHeader, ...ca }, 'COUNTERSIGN_CLIENT_CA_FILE would have no effect'],
    [{ TERMINATOR: 'envoy', ...byTerminator, ...ca }, 'COUNTERSIGN_CLIENT_CA_FILE would have no effect'],
    [{ TERMINATOR: 'envoy', CHAIN_VERIFIED_BY: 'nobody' }, '"nobody" is not one of'],
    [{ TERMINATOR: 'aws-alb-passthrough', CHAIN_VERIFIED_BY: 'terminator' }, 'that it has not verified'],
    [{ TERMINATOR: 'aws-alb-passthrough', VERIFY_HEADER: 'X-Verify' }, 'that it has not verified'],
    [{ TERMINATOR: 'azure-app-service', CHAIN_VERIFIED_BY: 'terminator' }, 'that it has not verified'],
    [{ TERMINATOR: 'nginx', CHAIN_HEADER: 'X-Chain' }, 'nginx does not forward the chain in a header of its own'],
    [{ TERMINATOR: 'nginx', VERIFY_HEADER: 'X-SSL-Client-Cert' }, 'VERIFY_HEADER: is x-ssl-client-cert'],
    [{ TERMINATOR: 'rfc9440', CHAIN_HEADER: 'Client-Cert' }, 'CHAIN_HEADER: is client-cert'],
    [{ TERMINATOR: 'rfc9440', CHAIN_HEADER: 'Connection' }, 'meaning of its own'],
  ])('%j is rejected: %s', (env, problem) => {
    const { problems } = read(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });
});

test('certificate and chain header are renamed by their settings', () => {
  const { fields } = read({ TERMINATOR: 'rfc9440', CERTIFICATE_HEADER: 'X-Leaf', CHAIN_HEADER: 'X-Chain' });
  expect(fields).toMatchObject({ certificateHeader: 'x-leaf', chainHeader: 'x-chain' });
});
