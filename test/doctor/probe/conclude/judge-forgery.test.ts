import { describe, expect, test } from 'vitest';
import type { Observation, Outcome } from '../../../../src/doctor/observer/observe.ts';
import type { ObservedField } from '../../../../src/doctor/observer/observed-fields.ts';
import { evaluateForgery } from '../../../../src/doctor/probe/conclude/judge-forgery.ts';
import { nothingForged } from '../../../../src/doctor/probe/forgeries/forgery.ts';
import type { TrialResult } from '../../../../src/doctor/probe/trial.ts';

const truth = {
  ownThumbprint: 'own',
  victimThumbprint: 'victim',
  ownVerified: false,
  untrustedThumbprint: 'stranger',
  untrustedVerified: false,
  ownMade: false,
};
const chain = (verified: boolean) => ({ verified, reason: 'x-verify is "SUCCESS"' });
const believes = (thumbprint: string, verified = false): Outcome => ({
  kind: 'certificate',
  subject: 'CN=x',
  thumbprint,
  chain: chain(verified),
});
const none: Outcome = { kind: 'none', reason: 'there is none' };
const field = (name: string, digest: string): ObservedField => ({ name, octets: 1, value: '', digest });
const usualFields = [field('X-Verify', 'NONE'), field('Connection', 'close')];

function observed(believed: Outcome, fields: readonly ObservedField[] = usualFields): Observation {
  return { request: '1', peer: 'unix', proxy_trust: { trusted: true }, fields, outcome: believed };
}

const route = {
  name: 'mutual_tls',
  title: 'https://mtls.auth.example/token',
  address: { host: 'localhost', port: 1 },
  serverName: 'mtls.auth.example',
  transport: 'tls',
  endpoints: [{ authority: 'mtls.auth.example', path: '/token' }],
} as const;

function tried(more: Partial<TrialResult>): TrialResult {
  return {
    route,
    presented: 'none',
    protocol: 'http/1.1',
    forgery: nothingForged,
    response: { kind: 'answered', status: 400, error: 'invalid_client', description: undefined, fields: [] },
    observations: [],
    elsewhere: false,
    ...more,
  };
}

const judge = (more: Partial<TrialResult>, facts = truth) =>
  evaluateForgery(tried(more), observed(none), facts).outcome;

describe('it got through', () => {
  test.each<[string, Partial<TrialResult>]>([
    ['when the victim is believed', { observations: [observed(believes('victim'))] }],
    ['also beside the own certificate', { presented: 'own', observations: [observed(believes('victim'))] }],
    ['when anybody is believed where none was shown', { observations: [observed(believes('own'))] }],
    ['when somebody else is believed', { presented: 'own', observations: [observed(believes('third'))] }],
    [
      'when the own chain becomes a verified one',
      { presented: 'own', observations: [observed(believes('own', true))] },
    ],
    [
      'when the chain of a self-signed one becomes verified',
      { presented: 'stranger', observations: [observed(believes('stranger', true))] },
    ],
    ['in one of two copies', { observations: [observed(believes('victim')), observed(none)] }],
    [
      'whatever the response was',
      { response: { kind: 'closed', detail: '' }, observations: [observed(believes('victim'))] },
    ],
  ])('%s', (_, more) => {
    expect(judge(more)).toBe('got_through');
  });
});

describe('it did not get through', () => {
  test.each<[string, string, Partial<TrialResult>]>([
    ['own certificate as it is', 'removed', { presented: 'own', observations: [observed(believes('own'))] }],
    ['fields as usual', 'removed', { observations: [observed(none)] }],
    ['other Connection', 'removed', { observations: [observed(none, [...usualFields, field('connection', 'X')])] }],
    ['another field', 'ignored', { observations: [observed(none, [...usualFields, field('X_Cert', 'v')])] }],
    [
      'the usual field with another value',
      'ignored',
      { observations: [observed(none, [field('x-verify', 'SUCCESS')])] },
    ],
    ['a refusal', 'refused_by_server', { observations: [observed({ kind: 'refused', reason: 'twice' })] }],
    [
      'an response of the proxy',
      'refused_by_proxy',
      { response: { kind: 'answered', status: 400, error: undefined, description: undefined, fields: [] } },
    ],
    ['a closed connection', 'refused_by_proxy', { response: { kind: 'closed', detail: 'reset' } }],
    ['silence', 'refused_by_proxy', { response: { kind: 'silent', detail: '' } }],
    ['another replica', 'not_seen', { elsewhere: true }],
    [
      'a proxy that is busy',
      'not_seen',
      { response: { kind: 'answered', status: 429, error: undefined, description: undefined, fields: [] } },
    ],
    [
      'a proxy without a server',
      'not_seen',
      { response: { kind: 'answered', status: 502, error: undefined, description: undefined, fields: [] } },
    ],
    ['a proxy that is gone', 'not_seen', { response: { kind: 'unreachable', detail: '' } }],
  ])('%s: %s', (_, outcome, more) => {
    expect(judge(more)).toBe(outcome);
  });

  test('when the own chain is verified anyway', () => {
    const more: Partial<TrialResult> = { presented: 'own', observations: [observed(believes('own', true))] };
    expect(judge(more, { ...truth, ownVerified: true })).toBe('removed');
  });

  test('when a self-signed one is verified anyway', () => {
    const more: Partial<TrialResult> = { presented: 'stranger', observations: [observed(believes('stranger', true))] };
    expect(judge(more, { ...truth, untrustedVerified: true })).toBe('removed');
  });
});

test('what is believed as well with nothing forged is not the work of the forgery', () => {
  const more: Partial<TrialResult> = { presented: 'own', observations: [observed(believes('own', true))] };
  expect(evaluateForgery(tried(more), observed(believes('own', true)), truth).outcome).toBe('removed');
  expect(evaluateForgery(tried(more), observed(believes('own')), truth).outcome).toBe('got_through');
});

test('it says whose certificate was believed', () => {
  const detail = (thumbprint: string) => {
    return evaluateForgery(
      tried({ presented: 'own', observations: [observed(believes(thumbprint))] }),
      undefined,
      truth,
    ).detail;
  };
  expect(detail('victim')).toBe('the forged certificate was believed');
  expect(detail('third')).toBe('another certificate was believed than the one presented: third');
});

test('it says what arrived, and why it was not believed', () => {
  const forged = tried({ observations: [observed(none, [field('X_Cert', 'v'), field('X_Cert', 'w')])] });
  expect(evaluateForgery(forged, observed(none), truth).detail).toBe('X_Cert arrived; there is none');
});
