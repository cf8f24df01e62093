import type { Json } from '../../../clients/json-value.ts';
import { isResourceIndicator } from '../../../oauth/grammar.ts';
import { type Comments, omitUndefined, parseLifetime, type RecordDraft, validScopes } from '../draft.ts';
import { readClaims } from './claims.ts';
import type { Server } from './client.ts';
import type { Configuration } from './configuration.ts';
import { noteOf } from './differences.ts';
import { type Section, textOf, textsOf } from './dotnet-configuration.ts';
import { flagOf, integerOf } from './dotnet-values.ts';
import type { ApiResource, Resources } from './resources.ts';

/** What a client gets. */
export interface Tokens {
  /** The fields of its record. */
  readonly record: RecordDraft;
  readonly scopes: Scopes;
}

interface Scopes {
  readonly names: readonly string[];
  /** Why IdentityServer rejects every request of the client, if its scopes are why. */
  readonly rejections: readonly string[];
}

/** Reads scopes, audiences, the lifetime and the claims of a client's tokens. */
export function readTokens(client: Section, server: Server, comments: Comments): Tokens {
  const { configuration, resources } = server;
  const scopes = readScopes(client, server, comments);
  const audiences = readAudiences(scopes.names, resources, staticAudienceOf(configuration), comments);
  const lifetime = integerOf(client.get('accesstokenlifetime'));
  const scopeAsString = flagOf(configuration.option('EmitScopesAsSpaceDelimitedStringInJwt'), false);
  const claims = readClaims(client, audiences.audience !== undefined, comments);
  const record = omitUndefined({
    scope: scopes.names.length === 0 ? undefined : scopes.names.join(' '),
    ...audiences,
    access_token_lifetime:
      lifetime === undefined ? undefined : parseLifetime(String(lifetime), 'AccessTokenLifetime', comments),
    access_token_scope_claim: scopeAsString ? undefined : 'array',
    claims: claims.record,
  });
  return { record, scopes: { ...scopes, rejections: [...scopes.rejections, ...claims.rejections] } };
}

const MAX_SCOPE_PARAMETER = 300;
/** IdentityServer sorts the scopes of a request as the invariant culture does. */
const scopeOrder = new Intl.Collator('en');

function readScopes(client: Section, { configuration, resources }: Server, comments: Comments): Scopes {
  const allowed = validScopes(textsOf(client.get('allowedscopes')), comments);
  const identityScopes = allowed.filter((scope) => resources.identityScopes.has(scope));
  if (identityScopes.length > 0)
    comments.remarks.push(`identity scopes are for users and were not imported: ${identityScopes.join(', ')}`);
  const ofApis = allowed.filter((scope) => !resources.identityScopes.has(scope));
  const names = grantedScopes(ofApis, resources, comments).toSorted(scopeOrder.compare);
  noteAmbiguous(names, identityScopes, resources, comments);
  const maxLength = integerOf(configuration.option('InputLengthRestrictions.Scope')) ?? MAX_SCOPE_PARAMETER;
  if (names.join(' ').length > maxLength) comments.notes.push(noteOf('scopes_too_long'));
  return { names, rejections: names.length === 0 ? [`AllowedScopes has no scope of an API`] : [] };
}

/** IdentityServer fails on a name that is both. */
function noteAmbiguous(
  names: readonly string[],
  identityScopes: readonly string[],
  { apiScopes }: Resources,
  { notes }: Comments,
): void {
  const ambiguous = identityScopes.filter((name) => apiScopes?.enabled.has(name));
  if (names.length === 0 || ambiguous.length === 0) return;
  const omitted = `scopes that are both in ApiScopes and in IdentityResources were not imported: ${ambiguous.join(', ')}`;
  notes.push(noteOf('scope_omitted', `${omitted}. Because of them, ${OTHERS_GRANTED}`));
}

const OTHERS_GRANTED = 'its requests without a scope fail in IdentityServer; here they get the other scopes';

/** IdentityServer grants neither disabled nor unknown scopes; of these, disabled ones are in requests without a scope. */
function grantedScopes(names: readonly string[], { apiScopes }: Resources, { notes, remarks }: Comments): string[] {
  if (apiScopes === undefined) return [...names];
  const { enabled, source } = apiScopes;
  const disabled = names.filter((name) => enabled.get(name) === false);
  const missing = names.filter((name) => !enabled.has(name));
  const granted = names.filter((name) => enabled.get(name) === true);
  if (missing.length > 0)
    remarks.push(`scopes that are missing in ${source}, and never granted, were not imported: ${missing.join(', ')}`);
  const omitted = `scopes that are disabled in ${source} were not imported: ${disabled.join(', ')}`;
  if (disabled.length > 0 && granted.length > 0)
    notes.push(noteOf('scope_omitted', `${omitted}. Because of them, ${OTHERS_GRANTED}`));
  // Without any scope, the client is noted as one that IdentityServer rejects.
  else if (disabled.length > 0) remarks.push(omitted);
  return granted;
}

/** The audience of every token, or that there is one which the file does not contain. */
type StaticAudience = { readonly kind: 'none' | 'unknown' } | { readonly kind: 'known'; readonly value: string };

function staticAudienceOf(configuration: Configuration): StaticAudience {
  const isEmitted = ['EmitStaticAudienceClaim', 'EmitLegacyResourceAudienceClaim'].some((name) =>
    flagOf(configuration.option(name), false),
  );
  const issuer = textOf(configuration.option('IssuerUri'))?.trim() ?? '';
  if (!isEmitted) return { kind: 'none' };
  return issuer === '' ? { kind: 'unknown' } : { kind: 'known', value: `${issuer.replace(/\/?$/, '/')}resources` };
}

interface Audiences {
  readonly audience: Json | undefined;
  readonly isolated_audience: Json | undefined;
}

function readAudiences(
  scopes: readonly string[],
  { apiResources }: Resources,
  fixed: StaticAudience,
  { notes }: Comments,
): Audiences {
  const isolatedNames = new Set(apiResources.filter(({ isIsolated }) => isIsolated).map(({ name }) => name));
  // One name as both is isolated: the token must not be for more than before.
  const shared = apiResources.filter(({ name }) => !isolatedNames.has(name));
  const isolated = apiResources.filter(({ name }) => isolatedNames.has(name) && isResourceIndicator(name));
  const fixedAudience = fixed.kind === 'known' ? [fixed.value] : [];
  const audience = byScope(scopes, shared, fixedAudience);
  const uncovered = scopes.filter((scope) => !audience.has(scope));
  if (fixed.kind === 'unknown') notes.push(noteOf('static_audience'));
  else if (uncovered.length > 0) notes.push(noteOf('no_audience', noAudienceText(uncovered, scopes, isolated)));
  noteAlgorithms(scopes, apiResources, notes);
  const isolatedAudience = byScope(scopes, isolated, []);
  if (fixed.kind === 'known' && isolatedAudience.size > 0) notes.push(noteOf('static_audience_of_resource'));
  return { audience: mapOf(audience), isolated_audience: mapOf(isolatedAudience) };
}

function byScope(
  scopes: readonly string[],
  resources: readonly ApiResource[],
  fixed: readonly string[],
): Map<string, readonly string[]> {
  const entries = scopes.map((scope) => {
    const names = resources.filter((resource) => resource.scopes.includes(scope)).map(({ name }) => name);
    return [scope, [...new Set([...names, ...fixed])]] as const;
  });
  return new Map(entries.filter(([, names]) => names.length > 0));
}

function mapOf(audiences: ReadonlyMap<string, readonly string[]>): Json | undefined {
  return audiences.size === 0 ? undefined : Object.fromEntries(audiences);
}

function noAudienceText(
  uncovered: readonly string[],
  scopes: readonly string[],
  isolated: readonly ApiResource[],
): string {
  const tokens = uncovered.length === scopes.length ? 'its tokens' : `tokens with only ${uncovered.join(' ')}`;
  const canBeNamed = isolated.some((resource) => uncovered.some((scope) => resource.scopes.includes(scope)));
  const resource = canBeNamed ? 'no API resource without RequireResourceIndicator' : 'no API resource';
  const unlessNamed = canBeNamed ? ' unless the request names a resource' : '';
  return `${resource} has ${uncovered.join(', ')}, so ${tokens} have no aud in IdentityServer${unlessNamed}; here it is the issuer`;
}

function noteAlgorithms(scopes: readonly string[], resources: readonly ApiResource[], notes: Comments['notes']): void {
  for (const { name, signingAlgorithms, scopes: own } of resources) {
    if (signingAlgorithms.length === 0 || !own.some((scope) => scopes.includes(scope))) continue;
    const text = `the API resource "${name}" requires tokens that are signed with ${signingAlgorithms.join(' or ')}`;
    notes.push(noteOf('signing_algorithm', `${text}; here the signing key of the server determines the algorithm`));
  }
  noteContradiction(scopes, resources, notes);
}

/** IdentityServer fails to sign a token for API resources that have no algorithm in common. */
function noteContradiction(
  scopes: readonly string[],
  resources: readonly ApiResource[],
  notes: Comments['notes'],
): void {
  const strict = resources.filter(
    ({ isIsolated, signingAlgorithms, scopes: own }) =>
      !isIsolated && signingAlgorithms.length > 0 && own.some((scope) => scopes.includes(scope)),
  );
  const [first, ...others] = strict.map(({ signingAlgorithms }) => signingAlgorithms);
  if (first === undefined || first.some((algorithm) => others.every((each) => each.includes(algorithm)))) return;
  const names = strict.map(({ name }) => `"${name}"`).join(', ');
  const text = `the API resources ${names} require different signing algorithms: IdentityServer gives no token for all of them, here there is one`;
  notes.push(noteOf('signing_algorithm', text));
}
