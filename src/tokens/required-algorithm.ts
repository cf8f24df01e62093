import type { Registry } from '../clients/registry/registry.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import type { Resource } from '../resources/resource.ts';
import type { SigningAlgorithm } from './algorithms/signing-algorithm.ts';

/**
 * The algorithm that the resources of an audience require for their tokens; undefined if none requires one.
 *
 * @param audience the `aud` of the token
 * @throws {OAuthError} invalid_target if they require different ones, or if the record of one of them is invalid;
 *   temporarily_unavailable if the lookup fails
 */
export async function requiredAlgorithm(
  audience: string | readonly string[],
  registry: Pick<Registry, 'findResourcesByAudience'>,
): Promise<SigningAlgorithm | undefined> {
  const lookups = [audience].flat().map((each) => registry.findResourcesByAudience(each));
  const resources = (await Promise.all(lookups)).flat().filter(({ signingAlgorithm }) => signingAlgorithm);
  const [first, ...others] = resources;
  const other = others.find(({ signingAlgorithm }) => signingAlgorithm !== first?.signingAlgorithm);
  if (first && other) throw disagreement(first, other);
  return first?.signingAlgorithm;
}

function disagreement(...resources: readonly Resource[]): OAuthError {
  const requirements = resources.map(
    ({ name, audience, signingAlgorithm }) => `"${name}" (${audience}) requires ${signingAlgorithm}`,
  );
  return new OAuthError('signing_algorithm_conflict', {
    description: 'The requested resources require separate tokens.',
    reason: `the resources of the token require different algorithms: ${requirements.join(', and ')}`,
  });
}
