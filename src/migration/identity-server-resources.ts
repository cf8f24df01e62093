import { flagOf, itemsOf, type Section, sectionOf, textOf } from './dotnet-configuration.ts';

/** What a file says beside its clients. */
export interface Resources {
  /** The names of the API resources of a scope, which are the audiences of its tokens. */
  readonly audienceOf: ReadonlyMap<string, readonly string[]>;
  /** Those of them that are an audience only where the request names them. */
  readonly isolated: ReadonlySet<string>;
  /** Whether each scope of APIs is enabled, by its name; undefined where the file does not say which there are. */
  readonly apiScopes: ReadonlyMap<string, boolean> | undefined;
  /** Scopes of users, which no client gets for itself. */
  readonly identityScopes: ReadonlySet<string>;
  /** How the `scope` claim is written. */
  readonly scopeClaim: 'string' | 'array';
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

function readApiScopes(section: Section): Map<string, boolean> | undefined {
  const scopes = section.get('apiscopes');
  if (scopes === undefined) return undefined;
  return new Map(
    itemsOf(scopes).flatMap(({ value }) => {
      const scope = sectionOf(value);
      const name = textOf(scope.get('name'));
      return name === undefined ? [] : [[name, flagOf(scope.get('enabled'), true)] as const];
    }),
  );
}

/** Texts, or objects with a `Name`, as the scopes of resources were before IdentityServer4 v4. */
function namesOf(section: Section, member: string): string[] {
  return itemsOf(section.get(member)).flatMap(({ value }) => {
    if (typeof value === 'string') return value;
    return textOf(sectionOf(value).get('name')) ?? [];
  });
}
