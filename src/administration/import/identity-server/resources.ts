import { flagOf, type Item, itemsOf, type Section, sectionOf, textOf } from './dotnet-configuration.ts';

/** What a file says beside its clients. */
export interface Resources {
  /** The names of the API resources of a scope, which are the audiences of its tokens. */
  readonly audienceOf: ReadonlyMap<string, readonly string[]>;
  /** Those of them that are an audience only where the request names them. */
  readonly isolated: ReadonlySet<string>;
  /** Undefined where the file does not say which there are. */
  readonly apiScopes: ApiScopes | undefined;
  /** Scopes of users, which no client gets for itself. */
  readonly identityScopes: ReadonlySet<string>;
  /** How the `scope` claim is written. */
  readonly scopeClaim: 'string' | 'array';
}

/** The scopes of APIs. */
export interface ApiScopes {
  /** Where they stand, in words. */
  readonly place: string;
  /** Whether each is enabled, by its name. */
  readonly areEnabled: ReadonlyMap<string, boolean>;
}

/** OpenID Connect Core §5.4, §11. */
const standardIdentityScopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'];

/** Reads `ApiResources`, `ApiScopes`, `IdentityResources` and the option of the `scope` claim from the section of the clients. */
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
  const asText = flagOf(section.get('emitscopesasspacedelimitedstringinjwt'), false);
  return {
    audienceOf,
    isolated,
    apiScopes: readApiScopes(section),
    identityScopes,
    scopeClaim: asText ? 'string' : 'array',
  };
}

function readApiScopes(section: Section): ApiScopes | undefined {
  const scopes = section.get('apiscopes');
  if (scopes !== undefined) return { place: 'ApiScopes', areEnabled: new Map(itemsOf(scopes).flatMap(namedFlag)) };
  const areEnabled = scopesOfResources(section);
  return areEnabled && { place: 'the scopes of ApiResources', areEnabled };
}

function namedFlag({ value }: Item): [string, boolean][] {
  if (typeof value === 'string') return [[value, true]];
  const item = sectionOf(value);
  const name = textOf(item.get('name'));
  return name === undefined ? [] : [[name, flagOf(item.get('enabled'), true)]];
}

/** Before IdentityServer4 v4 API resources defined their scopes themselves, as objects; since then they only name them. */
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

/** Texts, or objects with a `Name`, as the scopes of resources were before IdentityServer4 v4. */
function namesOf(section: Section, member: string): string[] {
  return itemsOf(section.get(member)).flatMap(({ value }) => {
    if (typeof value === 'string') return value;
    return textOf(sectionOf(value).get('name')) ?? [];
  });
}
