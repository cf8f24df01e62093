import type { Json } from '../../../clients/json-value.ts';
import { type Comments, plainNote, validScopes } from '../draft.ts';
import { isTrue, listOf, type Members, membersOf, textOf, textsOf } from './json.ts';
import { type MapperOutput, readMappers } from './mappers.ts';
import type { Realm } from './realm.ts';

/** The scopes of every realm. They concern users and roles, which our tokens do not contain. */
const builtInScopes = new Set(
  (
    'acr address basic email microprofile-jwt offline_access openid organization phone profile role_list ' +
    'roles saml_organization service_account web-origins'
  ).split(' '),
);

/** The fields of a record that follow from the scopes and protocol mappers of a client. */
export interface TokenContents {
  readonly scope: string | undefined;
  readonly audience: Json | undefined;
  readonly claims: MapperOutput['claims'] | undefined;
}

/**
 * Reads the default scopes, which Keycloak puts into every token, the optional scopes, which it adds on request, and the
 * protocol mappers of both and of the client itself.
 */
export function readTokenContents(client: Members, realm: Realm, comments: Comments): TokenContents {
  const defaults = client.defaultClientScopes === undefined ? realm.defaultScopes : textsOf(client.defaultClientScopes);
  const optional = textsOf(client.optionalClientScopes).filter((name) => !builtInScopes.has(name));
  const ownMappers = readMappers(client.protocolMappers, { audience: [], claims: {} }, comments);
  const common = defaults.reduce((added, name) => withScopeMappers(name, added, realm, comments), ownMappers);
  const included = defaults.filter((name) => !builtInScopes.has(name) && isIncludedInScope(name, realm));
  if (optional.length > 0)
    comments.notes.push(
      plainNote(`requests without a scope parameter also get the optional scopes: ${optional.join(', ')}`),
    );
  comments.notes.push(...[...defaults, ...optional].flatMap((name) => missingDefinition(name, realm)).map(plainNote));
  const scopes = validScopes([...included, ...optional], comments);
  return {
    scope: scopes.length === 0 ? undefined : scopes.join(' '),
    audience: audienceOf(scopes, common.audience, optionalAudiences(optional, realm, comments)),
    claims: Object.keys(common.claims).length === 0 ? undefined : common.claims,
  };
}

/** Of a built-in scope, only audiences and hardcoded claims count: it has none unless an administrator added them. */
function withScopeMappers(name: string, added: MapperOutput, { scopes }: Realm, comments: Comments): MapperOutput {
  const mappers = listOf(scopes.get(name)?.protocolMappers);
  const isPlain = (mapper: unknown) =>
    ['oidc-audience-mapper', 'oidc-hardcoded-claim-mapper'].includes(textOf(membersOf(mapper).protocolMapper) ?? '');
  return readMappers(builtInScopes.has(name) ? mappers.filter(isPlain) : mappers, added, comments);
}

/** The admin REST API returns only the names of a client's scopes. Built-in scopes are known. */
function missingDefinition(name: string, { scopes }: Realm): string[] {
  if (builtInScopes.has(name) || scopes.has(name)) return [];
  return [
    `the scope "${name}" is not defined in this file: its audiences and claims were not imported, and it is included in ` +
      'the scope of tokens even if Keycloak does not include it',
  ];
}

function isIncludedInScope(name: string, { scopes }: Realm): boolean {
  const setting = membersOf(scopes.get(name)?.attributes)['include.in.token.scope'];
  return textOf(setting) === undefined || isTrue(setting);
}

/** The audiences of each optional scope. Its claims would be in every token, so they are not imported. */
function optionalAudiences(names: readonly string[], realm: Realm, comments: Comments): Map<string, readonly string[]> {
  const audiences = names.map((name) => {
    const { audience, claims } = withScopeMappers(name, { audience: [], claims: {} }, realm, comments);
    for (const claim of Object.keys(claims))
      comments.notes.push(
        plainNote(`the claim ${claim} of the optional scope ${name} was not imported: it would be in every token`),
      );
    return [name, audience] as const;
  });
  return new Map(audiences.filter(([, audience]) => audience.length > 0));
}

/** One list or, if optional scopes add audiences, a list for each scope. */
function audienceOf(
  scopes: readonly string[],
  common: readonly string[],
  optional: ReadonlyMap<string, readonly string[]>,
): Json | undefined {
  if (optional.size === 0) return common.length === 0 ? undefined : common;
  const entries = scopes.map((scope) => [scope, [...new Set([...common, ...(optional.get(scope) ?? [])])]] as const);
  return Object.fromEntries(entries.filter(([, audience]) => audience.length > 0));
}
