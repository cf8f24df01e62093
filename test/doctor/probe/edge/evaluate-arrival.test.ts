import { expect, test } from 'vitest';
import type { Arrival, ArrivedField } from '../../../../src/doctor/observer/arrival.ts';
import { type EdgeTrialResult, FORGED, protectedRoute } from '../../../../src/doctor/probe/edge/edge-trials.ts';
import { evaluateArrival, missingNames } from '../../../../src/doctor/probe/edge/evaluate-arrival.ts';
import { nothingForged } from '../../../../src/doctor/probe/forgeries/forgery.ts';
import type { PresentedAs, ProbeResponse } from '../../../../src/doctor/probe/trial.ts';

const field = (name: string, value: string, place: ArrivedField['in'] = 'header'): ArrivedField => ({
  name,
  value,
  bytes: value.length,
  digest: value,
  in: place,
});

const identity = {
  'x-countersign-client-id': 'alpha',
  'x-countersign-subject': 'alpha',
  'x-countersign-scope': 'orders',
  'x-countersign-audience': 'https://orders.example',
  'x-countersign-expires': '1',
};
const stated = [
  field('Authorization', '(redacted)'),
  ...Object.entries(identity).map(([name, value]) => field(name, value)),
  field('X-SSL-Client-Cert', 'own'),
];
const baseline: Arrival = { request: '', fields: stated, token: { kind: 'valid', identity } };
const arrived = (fields: readonly ArrivedField[], token: Arrival['token'] = baseline.token): Arrival => ({
  request: '',
  fields,
  token,
});
const answered = (status: number): ProbeResponse => ({
  kind: 'answered',
  status,
  error: undefined,
  description: undefined,
  fieldNames: [],
});

function result(
  arrival: Arrival | undefined,
  presented: PresentedAs = 'own',
  response = answered(204),
): EdgeTrialResult {
  const route = protectedRoute('https://api.example/orders/', undefined);
  return { route, presented, protocol: 'http/1.1', forgery: nothingForged, response, arrival };
}

const kindsOf = (arrival: Arrival, presented?: PresentedAs) =>
  evaluateArrival(result(arrival, presented), baseline).problems.map(({ kind }) => kind);
const without = (name: string) => stated.filter((one) => one.name.toLowerCase() !== name);

test('what the edge stated is identified', () => {
  expect(evaluateArrival(result(baseline), baseline)).toMatchObject({ outcome: 'identified', problems: [] });
});

test.each(['none', 'untrusted'] as const)('any arrival with %s as the certificate is unchecked', (presented) => {
  expect(kindsOf(baseline, presented)).toEqual(['unchecked']);
});

test.each<[string, Arrival, string[]]>([
  ['a forged header', arrived([...without('x-countersign-scope'), field('X-Countersign-Scope', FORGED)]), ['forged']],
  ['a forged look-alike', arrived([...stated, field('X.Countersign_Scope', FORGED)]), ['forged']],
  ['a forged value joined to another', arrived([...stated, field('X-Countersign-Error', `a, ${FORGED}`)]), ['forged']],
  ['the certificate of another', arrived([...stated, field('X_SSL_Client_Cert', 'other')]), ['forged']],
  ['a proxy secret', arrived([...stated, field('X-Countersign-Proxy-Secret', '(redacted)')]), ['forged']],
  ['a foreign Authorization', arrived(stated, { kind: 'invalid', reason: 'it is not' }), ['authorization']],
  [
    'the identity of another token',
    arrived([...without('x-countersign-subject'), field('x-countersign-subject', 'beta')]),
    ['contradiction'],
  ],
  ['a lost header', arrived(without('x-countersign-subject')), ['lost']],
  ['a repeated header', arrived([...stated, field('x-countersign-subject', 'alpha')]), ['lost']],
  [
    'another scope, such as that of the resource',
    arrived([...without('x-countersign-scope'), field('x-countersign-scope', 'a')]),
    [],
  ],
])('%s is found', (_, arrival, kinds) => {
  expect(kindsOf(arrival)).toEqual(expect.arrayContaining(kinds));
  expect(kindsOf(arrival).length > 0).toBe(kinds.length > 0);
});

test('a forged trailer is no problem, but reported', () => {
  const { outcome, problems } = evaluateArrival(
    result(arrived([...stated, field('X-Countersign-Scope', FORGED, 'trailer')])),
    baseline,
  );
  expect([outcome, problems]).toEqual(['in_trailer', []]);
});

test.each([
  [401, 'denied'],
  [403, 'denied'],
  [400, 'stopped'],
  [404, 'stopped'],
  [431, 'stopped'],
  [200, 'not_observed'],
  [204, 'not_observed'],
  [429, 'not_observed'],
  [503, 'not_observed'],
])('a request that did not arrive, with the status %i, is %s', (status, outcome) => {
  expect(evaluateArrival(result(undefined, 'none', answered(status)), baseline).outcome).toBe(outcome);
});

test('a missing header is named', () => {
  expect(missingNames(arrived(without('x-countersign-subject')))).toEqual(['x-countersign-subject']);
  expect(missingNames(baseline)).toEqual([]);
});
