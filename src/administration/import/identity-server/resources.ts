import { ImportError, type Note } from '../draft.ts';
import type { Configuration } from './configuration.ts';
import { noteOf } from './differences.ts';
import { type Item, itemsOf, type Section, sectionOf, textOf, textsOf } from './dotnet-configuration.ts';
import { requireConvertible } from './dotnet-types.ts';
import { flagOf } from './dotnet-values.ts';
import { handlingOf } from './options.ts';

/** The resources and scopes of a configuration. */
export interface Resources {
  /** The enabled API resources. */
  readonly apiResources: readonly ApiResource[];
  /** Undefined if the configuration does not define them. */
  readonly apiScopes: ApiScopes | undefined;
  /** Scopes that are granted to users only. */
  readonly identityScopes: ReadonlySet<string>;
  /** Resources and scopes that .NET cannot read. */
  readonly notes: readonly Note[];
}

/** An audience of tokens. */
export interface ApiResource {
  readonly name: string;
  readonly scopes: readonly string[];
  /** It is an audience only if the request names it (RFC 8707). */
  readonly isIsolated: boolean;
  /** Empty if any will do. */
  readonly signingAlgorithms: readonly string[];
}

/** The scopes of APIs. */
interface ApiScopes {
  /** The part of the configuration that defines them, for messages. */
  readonly source: string;
  /** Whether each scope is enabled, by name. */
  readonly enabled: ReadonlyMap<string, boolean>;
}

/** OpenID Connect Core §5.4, §11. */
const standardIdentityScopes = ['openid', 'profile', 'email', 'address', 'phone'];

/** Reads `ApiResources`, `ApiScopes` and `IdentityResources`. */
export function readResources(configuration: Configuration): Resources {
  const notes = [...unknownProperties('ApiResource', configuration), ...unknownProperties('ApiScope', configuration)];
  const resources = readItems(configuration.list('ApiResources'), readApiResource, notes);
  const apiScopes = readApiScopes(configuration, notes);
  // An API may have a scope of such a name, and IdentityServer knows the names that are configured only.
  const assumed = standardIdentityScopes.filter((name) => apiScopes?.enabled.has(name) !== true);
  const configured = configuration.list('IdentityResources').flatMap(nameOf);
  return {
    apiResources: resources.filter(({ isEnabled }) => isEnabled),
    apiScopes,
    identityScopes: new Set(['offline_access', ...assumed, ...configured]),
    notes,
  };
}

/** Properties that no version of IdentityServer has: one may be misspelled. */
function unknownProperties(type: 'ApiResource' | 'ApiScope', configuration: Configuration): Note[] {
  return configuration.list(`${type}s`).flatMap(({ location, value }) => {
    const properties = readItems([{ location, value }], (item) => [...sectionOf(item.value)], []);
    return properties.flatMap(([key, { name }]) => {
      const text = `${location}: ${name} was not imported: IdentityServer's ${type} has no such property`;
      return handlingOf(type, key) ? [] : [noteOf('unknown_property', text)];
    });
  });
}

/** The binder of .NET omits an item with a value that it cannot convert, and so does the import. */
function readItems<Value>(items: readonly Item[], read: (item: Item) => Value[], notes: Note[]): Value[] {
  return items.flatMap((item) => {
    try {
      return read(item);
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      notes.push(noteOf('resource_invalid', `${item.location} was not imported: ${error.message}`));
      return [];
    }
  });
}

function readApiResource({ value }: Item): (ApiResource & { readonly isEnabled: boolean })[] {
  const resource = sectionOf(value);
  requireConvertible(resource);
  const name = textOf(resource.get('name'));
  if (name === undefined) return [];
  return [
    {
      name,
      scopes: itemsOf(resource.get('scopes')).flatMap(nameOf),
      isEnabled: flagOf(resource.get('enabled'), true),
      isIsolated: flagOf(resource.get('requireresourceindicator'), false),
      signingAlgorithms: textsOf(resource.get('allowedaccesstokensigningalgorithms')),
    },
  ];
}

function readApiScopes(configuration: Configuration, notes: Note[]): ApiScopes | undefined {
  if (configuration.has('ApiScopes')) {
    const scopes = readItems(configuration.list('ApiScopes'), namedFlag, notes);
    return { source: 'ApiScopes', enabled: new Map(scopes) };
  }
  const areEnabled = scopesOfResources(configuration, notes);
  return areEnabled && { source: 'the scopes of ApiResources', enabled: areEnabled };
}

function namedFlag(item: Item): [string, boolean][] {
  const scope = sectionOf(item.value);
  requireConvertible(scope);
  return nameOf(item).map((name) => [name, flagOf(scope.get('enabled'), true)]);
}

/** Before IdentityServer4 v4, API resources defined their scopes as objects; since then they contain the names only. */
function scopesOfResources(configuration: Configuration, notes: Note[]): Map<string, boolean> | undefined {
  const resources = configuration.list('ApiResources').map(({ value }): Section => sectionOf(value));
  const all = resources.map((resource) => ({ resource, scopes: itemsOf(resource.get('scopes')) }));
  if (all.some(({ scopes }) => scopes.some(({ value }) => typeof value === 'string'))) return undefined;
  const areEnabled = new Map<string, boolean>();
  for (const { resource, scopes } of all) {
    // A flag that .NET cannot read omits the resource; that is noted where its audiences are read.
    const [isEnabled = false] = readItems(
      [{ location: '', value: resource }],
      () => [flagOf(resource.get('enabled'), true)],
      [],
    );
    for (const [name] of readItems(scopes, namedFlag, notes))
      areEnabled.set(name, isEnabled || areEnabled.get(name) === true);
  }
  return areEnabled.size === 0 ? undefined : areEnabled;
}

/** The name in a list of strings or, as before IdentityServer4 v4, of objects with a `Name`. */
function nameOf({ value }: Item): string[] {
  if (typeof value === 'string') return [value];
  const name = textOf(sectionOf(value).get('name'));
  return name === undefined ? [] : [name];
}
