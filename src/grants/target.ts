import type { Client } from '../clients/client.ts';
import { invalidTarget, isResourceIndicator } from '../oauth/resource.ts';

export interface Target {
  readonly scope: readonly string[];
  readonly audience: readonly string[];
}

/**
 * Determines the token's audience, and the part of the scope that belongs to it.
 *
 * Without `resource`, the audience follows from the scope (RFC 9068 §3). With it, the audience consists of the requested
 * resources (RFC 8707 §2.2), all of which must be registered for the client, and the scope is limited to theirs: a scope
 * that was requested and does not belong to them is an error; one that was not requested is omitted.
 *
 * @throws {OAuthError} invalid_target
 */
export function resolveTarget(
  client: Client,
  scope: readonly string[],
  scopeRequested: boolean,
  resources: readonly string[],
): Target {
  const audienceOf = (token: string) => client.audience.byScope.get(token) ?? client.audience.always;
  if (resources.length === 0)
    return { scope, audience: distinct([...client.audience.always, ...scope.flatMap(audienceOf)]) };
  const registered = new Set([...client.audience.always, ...[...client.audience.byScope.values()].flat()]);
  for (const resource of resources) {
    if (!isResourceIndicator(resource)) throw invalidTarget('resource is not an absolute URI without a fragment');
    if (!registered.has(resource)) throw invalidTarget(`the client is not registered for resource "${resource}"`);
  }
  const covered = scope.filter((token) => audienceOf(token).some((audience) => resources.includes(audience)));
  const uncovered = scope.find((token) => !covered.includes(token));
  if (scopeRequested && uncovered !== undefined) {
    throw invalidTarget(`scope "${uncovered}" does not belong to the requested resource`);
  }
  return { scope: covered, audience: distinct(resources) };
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
