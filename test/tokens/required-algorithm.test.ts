import { describe, expect, test } from 'vitest';
import { parseResource } from '../../src/resources/parse-resource.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { requiredAlgorithm } from '../../src/tokens/required-algorithm.ts';
import { defaultPolicy } from '../support/policy.ts';

const record = (name: string, audience: string, signing_alg?: string): Resource => {
  const fields = { name, resource: audience, scope: 'x', binding: 'caller', ...(signing_alg && { signing_alg }) };
  const parsed = parseResource(fields, defaultPolicy);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.resource;
};
const resources = [
  record('plain', 'urn:plain'),
  record('es384', 'urn:es384', 'ES384'),
  record('also-es384', 'urn:also-es384', 'ES384'),
  record('eddsa', 'urn:eddsa', 'EdDSA'),
  record('mixed-1', 'urn:mixed'),
  record('mixed-2', 'urn:mixed', 'ES384'),
  record('split-1', 'urn:split', 'ES384'),
  record('split-2', 'urn:split', 'EdDSA'),
];
const registry = {
  findResourcesByAudience: async (audience: string) => resources.filter((each) => each.audience === audience),
};
const required = (...audience: string[]) => requiredAlgorithm(audience, registry);

describe('requiredAlgorithm', () => {
  test.each<[string[], string | undefined]>([
    [[], undefined],
    [['urn:unknown'], undefined],
    [['urn:plain'], undefined],
    [['urn:es384'], 'ES384'],
    [['urn:plain', 'urn:es384', 'urn:unknown'], 'ES384'],
    [['urn:es384', 'urn:also-es384'], 'ES384'],
    [['urn:mixed'], 'ES384'],
    [['urn:mixed', 'urn:es384'], 'ES384'],
  ])('of %j is %s', async (audience, algorithm) => {
    expect(await required(...audience)).toBe(algorithm);
  });

  test('takes an audience that is not a list', async () => {
    expect(await requiredAlgorithm('urn:eddsa', registry)).toBe('EdDSA');
  });

  test.each([
    [['urn:es384', 'urn:eddsa'], '"es384" (urn:es384) requires ES384, and "eddsa" (urn:eddsa) requires EdDSA'],
    [['urn:plain', 'urn:eddsa', 'urn:mixed'], '"eddsa" (urn:eddsa) requires EdDSA, and "mixed-2" (urn:mixed) requires'],
    [['urn:split'], '"split-1" (urn:split) requires ES384, and "split-2" (urn:split) requires EdDSA'],
  ])('rejects %j, and the reason names both resources', async (audience, reason) => {
    await expect(required(...audience)).rejects.toMatchObject({
      error: 'invalid_target',
      code: 'signing_algorithm_conflict',
      description: 'The requested resources require separate tokens.',
      reason: expect.stringContaining(`the resources of the token require different algorithms: ${reason}`),
    });
  });
});
