import { describe, expect, test } from 'vitest';
import { readForwardedFields } from '../../src/configuration/forwarded-fields.ts';
import { Settings } from '../../src/operations/settings.ts';
import type { ChainVerification } from '../../src/terminator/verdict.ts';

type Environment = Readonly<Record<string, string>>;

function read(env: Environment) {
  const prefixed = Object.fromEntries(Object.entries(env).map(([name, value]) => [`COUNTERSIGN_${name}`, value]));
  const settings = new Settings(prefixed);
  return { fields: readForwardedFields(settings), faults: settings.faults };
}

const success = (header: string, positive = 'SUCCESS'): ChainVerification => ({
  by: 'verdict',
  fields: [{ header, positive }],
});

describe('who verified the chain', () => {
  test.each<[Environment, object]>([
    [{ TERMINATOR: 'nginx' }, success('x-ssl-client-verify')],
    [{ TERMINATOR: 'nginx', VERDICT_HEADER: 'X-Verify' }, success('x-verify')],
    [{ TERMINATOR: 'nginx', CHAIN_VERIFIED_BY: 'verdict' }, success('x-ssl-client-verify')],
    // What the terminator itself says of a certificate is not overruled by a declaration.
    [{ TERMINATOR: 'nginx', CHAIN_VERIFIED_BY: 'terminator' }, success('x-ssl-client-verify')],
    [{ TERMINATOR: 'haproxy' }, success('x-ssl-client-verify', '0')],
    [{ TERMINATOR: 'haproxy', VERDICT_HEADER: 'X-Verify' }, success('x-verify', '0')],
    [{ TERMINATOR: 'rfc9440', VERDICT_HEADER: 'X-Verify' }, success('x-verify')],
    [{ TERMINATOR: 'rfc9440', CHAIN_VERIFIED_BY: 'verdict', VERDICT_HEADER: 'X-Verify' }, success('x-verify')],
    [{ TERMINATOR: 'rfc9440', CHAIN_VERIFIED_BY: 'terminator' }, { by: 'terminator' }],
    [{ TERMINATOR: 'rfc9440', CHAIN_VERIFIED_BY: 'terminator', VERDICT_HEADER: 'X-Verify' }, success('x-verify')],
    [{ TERMINATOR: 'envoy', CHAIN_VERIFIED_BY: 'terminator' }, { by: 'terminator' }],
    [{ TERMINATOR: 'envoy' }, { by: 'nobody', mend: expect.stringContaining('COUNTERSIGN_CHAIN_VERIFIED_BY') }],
    [{ TERMINATOR: 'rfc9440' }, { by: 'nobody', mend: expect.stringContaining('COUNTERSIGN_CHAIN_VERIFIED_BY') }],
    [{ TERMINATOR: 'aws-alb-passthrough' }, { by: 'nobody', mend: expect.stringContaining('self_signed') }],
  ])('%j: %j', (env, verification) => {
    expect(read(env)).toMatchObject({ fields: { verification }, faults: [] });
  });

  test.each<[Environment, string]>([
    [{}, 'COUNTERSIGN_TERMINATOR is missing'],
    [{ TERMINATOR: 'iis' }, '"iis" is not one of: nginx'],
    [
      { TERMINATOR: 'envoy', CHAIN_VERIFIED_BY: 'verdict' },
      'COUNTERSIGN_CHAIN_VERIFIED_BY is verdict, and envoy forwards none',
    ],
    [{ TERMINATOR: 'envoy', CHAIN_VERIFIED_BY: 'nobody' }, '"nobody" is not one of'],
    [{ TERMINATOR: 'aws-alb-passthrough', CHAIN_VERIFIED_BY: 'terminator' }, 'nobody has verified'],
    [{ TERMINATOR: 'aws-alb-passthrough', VERDICT_HEADER: 'X-Verify' }, 'nobody has verified'],
    [{ TERMINATOR: 'azure-app-service', CHAIN_VERIFIED_BY: 'terminator' }, 'nobody has verified'],
    [{ TERMINATOR: 'nginx', CHAIN_HEADER: 'X-Chain' }, 'nginx forwards no chain in a header of its own'],
    [{ TERMINATOR: 'nginx', VERDICT_HEADER: 'X-SSL-Client-Cert' }, 'VERDICT_HEADER is x-ssl-client-cert'],
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
