import type { Json } from '../../../clients/json-value.ts';
import { type Comments, usableScopes } from '../draft.ts';
import { isTrue, listOf, type Members, membersOf, textOf, textsOf } from './json.ts';
import { type Added, readMappers } from './mappers.ts';
import type { Realm } from './realm.ts';

/** Those that Keycloak makes in every realm: about users and roles, of which a token of ours says nothing. */
const ownScopes = new Set(
  (
    'acr address basic email microprofile-jwt offline_access openid organization phone profile role_list ' +
    'roles saml_organization service_account web-origins'
  ).split(' '),
);

/** What the scopes and the protocol mappers of a client amount to, as fields of a record. */
export interface Contents {
  readonly scope: string | undefined;
  readonly audience: Json | undefined;
  readonly claims: Added['claims'] | undefined;
}

/**
 * Reads the default scopes, which are in every token there, the optional ones, which are in those that ask for them,
 * and what the mappers of either and of the client itself add.
 */
export function readContents(client: Members, realm: Realm, comments: Comments): Contents {
  const named = client.defaultClientScopes === undefined ? realm.defaultScopes : textsOf(client.defaultClientScopes);
  const optional = textsOf(client.optionalClientScopes).filter((name) => !ownScopes.has(name));
  const ownMappers = readMappers(client.protocolMappers, { audience: [], claims: {} }, comments);
  const always = named.reduce((added, name) => addedByScope(name, added, realm, comments), ownMappers);
  const shown = named.filter((name) => !ownScopes.has(name) && isShown(name, realm));
  if (optional.length > 0)
    comments.notes.push(
      `the optional scopes are also in tokens of requests that name no scope: ${optional.join(', ')}`,
    );
  comments.notes.push(...[...named, ...optional].flatMap((name) => withoutDescription(name, realm)));
  const scopes = usableScopes([...shown, ...optional], comments);
  return {
    scope: scopes.length === 0 ? undefined : scopes.join(' '),
    audience: audienceOf(scopes, always.audience, ofOptional(optional, realm, comments)),
    claims: Object.keys(always.claims).length === 0 ? undefined : always.claims,
  };
}

/** Of Keycloak's own scopes, only what somebody put into them. */
function addedByScope(name: string, added: Added, { scopes }: Realm, comments: Comments): Added {
  const mappers = listOf(scopes.get(name)?.protocolMappers);
  const isPlain = (mapper: unknown) =>
    ['oidc-audience-mapper', 'oidc-hardcoded-claim-mapper'].includes(textOf(membersOf(mapper).protocolMapper) ?? '');
  return readMappers(ownScopes.has(name) ? mappers.filter(isPlain) : mappers, added, comments);
}

/** The admin REST API gives the names of a client's scopes only. What Keycloak's own ones say, is known. */
function withoutDescription(name: string, { scopes }: Realm): string[] {
  if (ownScopes.has(name) || scopes.has(name)) return [];
  return [
    `the scope "${name}" is not described in this file: the audience and the claims that it adds are not here, and ` +
      'where it is not shown in tokens there, it is here',
  ];
}

function isShown(name: string, { scopes }: Realm): boolean {
  const setting = membersOf(scopes.get(name)?.attributes)['include.in.token.scope'];
  return textOf(setting) === undefined || isTrue(setting);
}

/** The audiences of each optional scope. A claim of one would be in every token here, so none is. */
function ofOptional(names: readonly string[], realm: Realm, comments: Comments): Map<string, readonly string[]> {
  const audiences = names.map((name) => {
    const { audience, claims } = addedByScope(name, { audience: [], claims: {} }, realm, comments);
    for (const claim of Object.keys(claims))
      comments.notes.push(`the claim ${claim} of the optional scope ${name} is left out`);
    return [name, audience] as const;
  });
  return new Map(audiences.filter(([, audience]) => audience.length > 0));
}

/** One list; or, where scopes add to it, a list for each scope. */
function audienceOf(
  scopes: readonly string[],
  always: readonly string[],
  ofScope: ReadonlyMap<string, readonly string[]>,
): Json | undefined {
  if (ofScope.size === 0) return always.length === 0 ? undefined : always;
  const entries = scopes.map((scope) => [scope, [...new Set([...always, ...(ofScope.get(scope) ?? [])])]] as const);
  return Object.fromEntries(entries.filter(([, audience]) => audience.length > 0));
}
