import { flagOf, type Item, itemsOf, type Section, sectionOf, textOf } from './dotnet-configuration.ts';

/** The resources and scopes of a configuration file. */
export interface Resources {
  /** The API resources of each scope, which are the audiences of its tokens. */
  readonly audienceOf: ReadonlyMap<string, readonly string[]>;
  /** API resources that require a resource indicator: they are an audience only if the request names them (RFC 8707). */
  readonly isolated: ReadonlySet<string>;
  /** Undefined if the file does not define them. */
  readonly apiScopes: ApiScopes | undefined;
  /** Scopes that are granted to users only. */
  readonly identityScopes: ReadonlySet<string>;
  /** The JSON type of the `scope` claim. */
  readonly scopeClaim: 'string' | 'array';
}

/** The scopes of APIs. */
interface ApiScopes {
  /** The part of the file that defines them, for messages. */
  readonly source: string;
  /** Whether each scope is enabled, by name. */
  readonly enabled: ReadonlyMap<string, boolean>;
}

/** OpenID Connect Core §5.4, §11. */
const standardIdentityScopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'];

/**
 * Reads `ApiResources`, `ApiScopes`, `IdentityResources` and `EmitScopesAsSpaceDelimitedStringInJwt`.
 *
 * @param section the one that has `Clients`
 */
export function readResources(section: Section): Resources {
  const audienceOf = new Map<string, string[]>();
  const isolated = new Set<string>();
  for (const { value } of itemsOf(section.get('apiresources'))) {
    const resource = sectionOf(value);
    const name = textOf(resource.get('name'));
    if (name === undefined || !flagOf(resource.get('enabled'), true)) continue;
    if (flagOf(resource.get('requireresourceindicator'), false)) isolated.add(name);
    for (const scope of namesOf(resource, 'scopes')) audienceOf.set(scope, [...(audienceOf.get(scope) ?? []), name]);
  }
  const identityScopes = new Set([...standardIdentityScopes, ...namesOf(section, 'identityresources')]);
  const asString = flagOf(section.get('emitscopesasspacedelimitedstringinjwt'), false);
  return {
    audienceOf,
    isolated,
    apiScopes: readApiScopes(section),
    identityScopes,
    scopeClaim: asString ? 'string' : 'array',
  };
}

function readApiScopes(section: Section): ApiScopes | undefined {
  const scopes = section.get('apiscopes');
  if (scopes !== undefined) return { source: 'ApiScopes', enabled: new Map(itemsOf(scopes).flatMap(namedFlag)) };
  const areEnabled = scopesOfResources(section);
  return areEnabled && { source: 'the scopes of ApiResources', enabled: areEnabled };
}

function namedFlag({ value }: Item): [string, boolean][] {
  if (typeof value === 'string') return [[value, true]];
  const item = sectionOf(value);
  const name = textOf(item.get('name'));
  return name === undefined ? [] : [[name, flagOf(item.get('enabled'), true)]];
}

/** Before IdentityServer4 v4, API resources defined their scopes as objects; since then they contain the names only. */
function scopesOfResources(section: Section): Map<string, boolean> | undefined {
  const areEnabled = new Map<string, boolean>();
  for (const { value } of itemsOf(section.get('apiresources'))) {
    const resource = sectionOf(value);
    const isEnabled = flagOf(resource.get('enabled'), true);
    const scopes = itemsOf(resource.get('scopes'));
    if (scopes.some((scope) => typeof scope.value === 'string')) return undefined;
    for (const [name] of scopes.flatMap(namedFlag)) areEnabled.set(name, isEnabled || areEnabled.get(name) === true);
  }
  return areEnabled.size === 0 ? undefined : areEnabled;
}

/** The names in a list of strings or, as before IdentityServer4 v4, of objects with a `Name`. */
function namesOf(section: Section, member: string): string[] {
  return itemsOf(section.get(member)).flatMap(({ value }) => {
    if (typeof value === 'string') return value;
    return textOf(sectionOf(value).get('name')) ?? [];
  });
}
