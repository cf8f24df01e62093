import { closestMatch } from '../closest-match.ts';
import { canonicalUri } from '../oauth/canonical-uri.ts';
import { isResourceIndicator, MAX_SCOPE_TOKEN_LENGTH } from '../oauth/grammar.ts';
import { abbreviate } from '../text.ts';
import type { RegisteredAudience, RegisteredResource } from './client.ts';
import { type Diagnostic, type Diagnostics, withSuggestion } from './diagnostics.ts';
import type { ClientRecord } from './record-schema.ts';

/**
 * Parses the audiences of a client: those of its tokens, and those that a token has only if its request names them.
 *
 * @param scopes of the client
 */
export function parseAudience(
  record: ClientRecord,
  scopes: readonly string[],
  diagnostics: Diagnostics,
): RegisteredAudience {
  const usual = parseField('audience', record, scopes, diagnostics);
  const isolated = parseField('isolated_audience', record, scopes, diagnostics);
  const resources = [...resourcesOf(usual, false), ...resourcesOf(isolated, true)];
  warnOfUnnameable(isolated.all, diagnostics);
  return { ...usual, resources: indexResources(resources, diagnostics) };
}

type Audiences = Omit<RegisteredAudience, 'resources'>;
type AudienceField = 'audience' | 'isolated_audience';

/** One audience, a list, or a map from scope to either. */
function parseField(
  field: AudienceField,
  record: ClientRecord,
  scopes: readonly string[],
  { errors }: Diagnostics,
): Audiences {
  const audience = record[field] ?? [];
  if (typeof audience === 'string') return { always: [audience], byScope: noScopes, all: [audience] };
  if (Array.isArray(audience)) return { always: audience, byScope: noScopes, all: distinct(audience) };
  const byScope = new Map<string, readonly string[]>();
  for (const [scope, values] of Object.entries(audience)) {
    if (!scopes.includes(scope)) errors.push(unregisteredScope(`${field}.${scope}`, scope, scopes));
    byScope.set(scope, typeof values === 'string' ? [values] : values);
  }
  return { always: [], byScope, all: distinct(scopes.flatMap((scope) => byScope.get(scope) ?? [])) };
}

const noScopes: ReadonlyMap<string, readonly string[]> = new Map();

function unregisteredScope(field: string, scope: string, registered: readonly string[]): Diagnostic {
  const problem = { field, message: 'is not a scope of this client' };
  return withSuggestion(problem, scope.length > MAX_SCOPE_TOKEN_LENGTH ? undefined : closestMatch(scope, registered));
}

function resourcesOf({ always, byScope }: Audiences, isIsolated: boolean): RegisteredResource[] {
  const scopesByAudience = new Map<string, Set<string>>();
  for (const [scope, audiences] of byScope) {
    for (const audience of audiences) {
      const scopes = scopesByAudience.get(audience);
      if (scopes) scopes.add(scope);
      else scopesByAudience.set(audience, new Set([scope]));
    }
  }
  const ofScopes = [...scopesByAudience].map(([audience, scopes]) => ({ audience, isIsolated, scopes }));
  return [...distinct(always).map((audience) => ({ audience, isIsolated, scopes: 'all' as const })), ...ofScopes];
}

/** By each registered spelling, and by the canonical one. Of equivalent audiences, a request can spell each. */
function indexResources(
  resources: readonly RegisteredResource[],
  { errors, warnings }: Diagnostics,
): RegisteredAudience['resources'] {
  const index = new Map<string, RegisteredResource>();
  for (const [canonical, [first, ...others]] of Map.groupBy(resources, ({ audience }) => canonicalUri(audience))) {
    if (!first) continue;
    const isolated = first.isIsolated ? undefined : others.find(({ isIsolated }) => isIsolated);
    const [second] = others;
    if (isolated) errors.push(overlap(isolated, first));
    else if (second) warnings.push(equivalence(first, second));
    if (!isResourceIndicator(canonical)) continue;
    index.set(canonical, first);
    for (const resource of [first, ...others]) index.set(resource.audience, resource);
  }
  return index;
}

function overlap({ audience }: RegisteredResource, usual: RegisteredResource): Diagnostic {
  const spelled = audience === usual.audience ? '' : ` as ${quoted(usual.audience)}`;
  const message = `contains ${quoted(audience)}, which is in audience as well${spelled}: remove it from one of them`;
  return { field: 'isolated_audience', message };
}

function equivalence(one: RegisteredResource, other: RegisteredResource): Diagnostic {
  const message =
    `contains ${quoted(one.audience)} and ${quoted(other.audience)}, which are the same URI (RFC 3986 §6.2): a ` +
    'request gets the one that its resource spells. Remove the other one';
  return { field: one.isIsolated ? 'isolated_audience' : 'audience', message };
}

function warnOfUnnameable(isolated: readonly string[], { warnings }: Diagnostics): void {
  for (const audience of isolated.filter((each) => !isResourceIndicator(each))) {
    const message =
      `contains ${quoted(audience)}, which is not an absolute URI without a fragment: no request can name it as its ` +
      'resource (RFC 8707 §2), so no token has it';
    warnings.push({ field: 'isolated_audience', message });
  }
}

function quoted(audience: string): string {
  return JSON.stringify(abbreviate(audience));
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
