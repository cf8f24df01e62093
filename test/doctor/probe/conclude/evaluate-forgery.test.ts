import { describe, expect, test } from 'vitest';
import type { Observation, Outcome } from '../../../../src/doctor/observer/observe.ts';
import type { ObservedField } from '../../../../src/doctor/observer/observed-fields.ts';
import { evaluateForgery, type GroundTruth } from '../../../../src/doctor/probe/conclude/evaluate-forgery.ts';
import { nothingForged } from '../../../../src/doctor/probe/forgeries/forgery.ts';
import type { TrialResult } from '../../../../src/doctor/probe/trial.ts';

const groundTruth: GroundTruth = {
  ownThumbprint: 'own',
  forgedThumbprint: 'forged',
  ownVerified: false,
  untrustedThumbprint: 'untrusted',
  untrustedVerified: false,
  ownGenerated: false,
};
const chain = (verified: boolean) => ({ verified, reason: 'x-verify is "SUCCESS"' });
const accepted = (thumbprint: string, verified = false): Outcome => ({
  kind: 'accepted',
  subject: 'CN=x',
  thumbprint,
  chain: chain(verified),
});
const absent: Outcome = { kind: 'absent', reason: 'there is none' };
const field = (name: string, digest: string): ObservedField => ({ name, bytes: 1, value: '', digest });
const baselineFields = [field('X-Verify', 'NONE'), field('Connection', 'close')];

function observed(outcome: Outcome, fields: readonly ObservedField[] = baselineFields): Observation {
  return { request: '1', peer: 'unix', proxy_trust: { trusted: true }, fields, outcome };
}

const route = {
  name: 'mutual_tls',
  title: 'https://mtls.auth.example/token',
  address: { host: 'localhost', port: 1 },
  serverName: 'mtls.auth.example',
  transport: 'tls',
  endpoints: [{ host: 'mtls.auth.example', path: '/token' }],
} as const;

function trialResult(more: Partial<TrialResult>): TrialResult {
  return {
    route,
    presented: 'none',
    protocol: 'http/1.1',
    forgery: nothingForged,
    response: { kind: 'answered', status: 400, error: 'invalid_client', description: undefined, fieldNames: [] },
    observations: [],
    mayBeOtherReplica: false,
    ...more,
  };
}

const outcomeOf = (more: Partial<TrialResult>, facts = groundTruth) =>
  evaluateForgery(trialResult(more), observed(absent), facts).outcome;

describe('a forgery is accepted', () => {
  test.each<[string, Partial<TrialResult>]>([
    ['when the server accepts the forged certificate', { observations: [observed(accepted('forged'))] }],
    [
      'when the server accepts the forged certificate instead of the presented one',
      { presented: 'own', observations: [observed(accepted('forged'))] },
    ],
    [
      'when the server accepts a certificate although none was presented',
      { observations: [observed(accepted('own'))] },
    ],
    [
      'when the server accepts a certificate other than the presented one',
      { presented: 'own', observations: [observed(accepted('third'))] },
    ],
    [
      'when the presented chain is accepted as verified',
      { presented: 'own', observations: [observed(accepted('own', true))] },
    ],
    [
      'when the chain of a self-signed certificate is accepted as verified',
      { presented: 'untrusted', observations: [observed(accepted('untrusted', true))] },
    ],
    [
      'when one of two copies of the request is accepted',
      { observations: [observed(accepted('forged')), observed(absent)] },
    ],
    [
      'when the server accepts it although the connection was closed',
      { response: { kind: 'closed', detail: '' }, observations: [observed(accepted('forged'))] },
    ],
  ])('%s', (_, more) => {
    expect(outcomeOf(more)).toBe('accepted');
  });
});

describe('a forgery is not accepted', () => {
  test.each<[string, string, Partial<TrialResult>]>([
    [
      'the presented certificate without a verified chain',
      'removed',
      { presented: 'own', observations: [observed(accepted('own'))] },
    ],
    ['the fields of the baseline', 'removed', { observations: [observed(absent)] }],
    [
      'a Connection that differs from the baseline',
      'removed',
      { observations: [observed(absent, [...baselineFields, field('connection', 'X')])] },
    ],
    [
      'a field that is not in the baseline',
      'ignored',
      { observations: [observed(absent, [...baselineFields, field('X_Cert', 'v')])] },
    ],
    [
      'a field of the baseline with another value',
      'ignored',
      { observations: [observed(absent, [field('x-verify', 'SUCCESS')])] },
    ],
    [
      'a rejection by the server',
      'rejected_by_server',
      { observations: [observed({ kind: 'rejected', reason: 'twice' })] },
    ],
    [
      'a response of the proxy',
      'rejected_by_proxy',
      { response: { kind: 'answered', status: 400, error: undefined, description: undefined, fieldNames: [] } },
    ],
    ['a closed connection', 'rejected_by_proxy', { response: { kind: 'closed', detail: 'reset' } }],
    ['no response', 'rejected_by_proxy', { response: { kind: 'timeout', detail: '' } }],
    ['a response of another replica', 'not_observed', { mayBeOtherReplica: true }],
    [
      'a proxy that limits requests',
      'not_observed',
      { response: { kind: 'answered', status: 429, error: undefined, description: undefined, fieldNames: [] } },
    ],
    [
      'a proxy that does not reach the server',
      'not_observed',
      { response: { kind: 'answered', status: 502, error: undefined, description: undefined, fieldNames: [] } },
    ],
    ['an unreachable proxy', 'not_observed', { response: { kind: 'unreachable', detail: '' } }],
  ])('with %s: %s', (_, outcome, more) => {
    expect(outcomeOf(more)).toBe(outcome);
  });

  test('when the presented chain is verified in the baseline as well', () => {
    const more: Partial<TrialResult> = { presented: 'own', observations: [observed(accepted('own', true))] };
    expect(outcomeOf(more, { ...groundTruth, ownVerified: true })).toBe('removed');
  });

  test('when the chain of a self-signed certificate is verified in the baseline as well', () => {
    const more: Partial<TrialResult> = {
      presented: 'untrusted',
      observations: [observed(accepted('untrusted', true))],
    };
    expect(outcomeOf(more, { ...groundTruth, untrustedVerified: true })).toBe('removed');
  });
});

test('a false acceptance of the baseline is not attributed to a forgery', () => {
  const more: Partial<TrialResult> = { presented: 'own', observations: [observed(accepted('own', true))] };
  expect(evaluateForgery(trialResult(more), observed(accepted('own', true)), groundTruth).outcome).toBe('removed');
  expect(evaluateForgery(trialResult(more), observed(accepted('own')), groundTruth).outcome).toBe('accepted');
});

test('the detail of an accepted forgery names the accepted certificate', () => {
  const detail = (thumbprint: string) => {
    return evaluateForgery(
      trialResult({ presented: 'own', observations: [observed(accepted(thumbprint))] }),
      undefined,
      groundTruth,
    ).detail;
  };
  expect(detail('forged')).toBe('the forged certificate was accepted');
  expect(detail('third')).toBe('a certificate other than the presented one was accepted: third');
});

test('the detail of an ignored forgery names the fields that arrived and the reason', () => {
  const result = trialResult({ observations: [observed(absent, [field('X_Cert', 'v'), field('X_Cert', 'w')])] });
  expect(evaluateForgery(result, observed(absent), groundTruth).detail).toBe('X_Cert arrived; there is none');
});
