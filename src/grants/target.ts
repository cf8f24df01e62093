import type { Client } from '../clients/client.ts';
import { isResourceIndicator, isScopeToken } from '../oauth/grammar.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import type { CodeOfError } from '../reasons/reasons.ts';

/** What a token is for. */
export interface Target {
  readonly scope: readonly string[];
  readonly audience: readonly string[];
}

/**
 * Determines the scope and the audience of a token.
 *
 * The scope is the requested one, or everything registered if none was requested (RFC 6749 §3.3). Without `resource`, the
 * audience follows from the scope (RFC 9068 §3). With it, the audience consists of the requested resources (RFC 8707 §2.2),
 * all of which must be registered for the client, and the scope is limited to theirs: a scope that was requested and does
 * not belong to them is an error; one that was not requested is omitted.
 *
 * @param requestedScope the `scope` parameter
 * @param resources the `resource` parameters
 * @throws {OAuthError} invalid_scope, invalid_target
 */
export function resolveTarget(
  client: Client,
  requestedScope: string | undefined,
  resources: readonly string[],
): Target {
  if (requestedScope === undefined && resources.length === 0)
    return { scope: client.scopes, audience: client.audience.all };
  const scope = grantScope(requestedScope, client.scopes);
  const audienceOf = (token: string) => client.audience.byScope.get(token) ?? client.audience.always;
  if (resources.length === 0)
    return { scope, audience: distinct([...client.audience.always, ...scope.flatMap(audienceOf)]) };
  requireRegistered(client, resources);
  const covered = scope.filter((token) => audienceOf(token).some((audience) => resources.includes(audience)));
  const uncovered = scope.find((token) => !covered.includes(token));
  if (requestedScope !== undefined && uncovered !== undefined) {
    throw invalidTarget('scope_resource_mismatch', `scope "${uncovered}" does not belong to the requested resource`);
  }
  return { scope: covered, audience: distinct(resources) };
}

function grantScope(requested: string | undefined, registered: readonly string[]): readonly string[] {
  if (requested === undefined) return registered;
  const tokens = new Set(requested.split(' '));
  for (const token of tokens) {
    if (!isScopeToken(token))
      throw invalidScope('scope_malformed', 'the scope parameter is not a list of scope tokens');
    if (!registered.includes(token))
      throw invalidScope('scope_unregistered', `the client is not registered for scope "${token}"`);
  }
  return [...tokens];
}

function requireRegistered({ audience }: Client, resources: readonly string[]): void {
  for (const resource of resources) {
    if (!isResourceIndicator(resource))
      throw invalidTarget('resource_malformed', 'resource is not an absolute URI without a fragment');
    if (!audience.all.includes(resource))
      throw invalidTarget('resource_unregistered', `the client is not registered for resource "${resource}"`);
  }
}

function invalidScope(code: CodeOfError<'invalid_scope'>, reason: string): OAuthError {
  return new OAuthError(code, {
    description: 'The requested scope is malformed or exceeds what the client may have.',
    reason,
  });
}

/** RFC 8707 §2: the requested resource is invalid, missing, unknown, or malformed. */
function invalidTarget(code: CodeOfError<'invalid_target'>, reason: string): OAuthError {
  return new OAuthError(code, {
    description: 'The requested resource is malformed, unknown, or not for this client and scope.',
    reason,
  });
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
