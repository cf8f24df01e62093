import type { Client, RegisteredResource } from '../clients/client.ts';
import { canonicalUri } from '../oauth/canonical-uri.ts';
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
 * not belong to them is an error; one that was not requested is omitted. An isolated resource is requested alone.
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
  const { always, byScope, all } = client.audience;
  if (requestedScope === undefined && resources.length === 0) return { scope: client.scopes, audience: all };
  const requested = requestedScope === undefined ? [] : parseScope(requestedScope, client.scopes);
  const scope = requested.length === 0 ? client.scopes : requested;
  if (resources.length === 0)
    return { scope, audience: distinct([...always, ...scope.flatMap((token) => byScope.get(token) ?? [])]) };
  const targets = findResources(client, resources);
  const covered = scope.filter((token) => targets.some(({ scopes }) => scopes === 'all' || scopes.has(token)));
  if (requested.length > 0 && covered.length < scope.length) {
    const uncovered = scope.find((token) => !covered.includes(token));
    throw invalidTarget('scope_resource_mismatch', `scope "${uncovered}" does not belong to the requested resource`);
  }
  return { scope: covered, audience: targets.map(({ audience }) => audience) };
}

/** Spaces that separate nothing come from joining a list that has empty items. No item at all is no request for a scope. */
function parseScope(requested: string, registered: readonly string[]): readonly string[] {
  const tokens = new Set(requested.split(' ').filter((token) => token !== ''));
  for (const token of tokens) {
    if (!isScopeToken(token))
      throw invalidScope('scope_malformed', 'the scope parameter is not a list of scope tokens');
    if (!registered.includes(token))
      throw invalidScope('scope_unregistered', `the client is not registered for scope "${token}"`);
  }
  return [...tokens];
}

function findResources(client: Client, resources: readonly string[]): readonly RegisteredResource[] {
  const found = distinct(resources.map((resource) => findResource(client, resource)));
  const isolated = found.length > 1 ? found.find(({ isIsolated }) => isIsolated) : undefined;
  if (isolated)
    throw invalidTarget('resource_isolated', `resource "${isolated.audience}" is isolated, and requested with another`);
  return found;
}

function findResource({ audience: { resources } }: Client, requested: string): RegisteredResource {
  const found = resources.get(requested);
  if (found) return found;
  if (!isResourceIndicator(requested))
    throw invalidTarget('resource_malformed', 'resource is not an absolute URI without a fragment');
  const equivalent = resources.get(canonicalUri(requested));
  if (equivalent) return equivalent;
  throw invalidTarget('resource_unregistered', `the client is not registered for resource "${requested}"`);
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

function distinct<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}
