import { listOf, type Members, membersOf, textOf, textsOf } from './json.ts';

/** Settings of a realm that apply to all its clients; empty for a client that was exported alone. */
export interface Realm {
  /** Disables every client. */
  readonly isDisabled: boolean;
  /** The lifetime of access tokens, in seconds. */
  readonly lifetime: string | undefined;
  /** The scopes of clients without `defaultClientScopes`. */
  readonly defaultScopes: readonly string[];
  /** Client scopes by name. */
  readonly scopes: ReadonlyMap<string, Members>;
  /** The clients whose service account is disabled: they get no tokens. */
  readonly disabledServiceAccounts: ReadonlySet<string>;
  /** The roles of the service account of each client, which Keycloak puts into its tokens. */
  readonly serviceAccountRoles: ReadonlyMap<string, readonly string[]>;
}

/** Reads the settings from a realm export. */
export function readRealm(realm: Members): Realm {
  const scopes = listOf(realm.clientScopes).map(membersOf);
  const accounts = listOf(realm.users).map(membersOf);
  return {
    isDisabled: isFalse(realm.enabled),
    lifetime: textOf(realm.accessTokenLifespan),
    defaultScopes: textsOf(realm.defaultDefaultClientScopes),
    scopes: new Map(scopes.map((scope) => [textOf(scope.name) ?? '', scope])),
    disabledServiceAccounts: new Set(accounts.filter(({ enabled }) => isFalse(enabled)).map(clientOf)),
    serviceAccountRoles: new Map(accounts.map((user) => [clientOf(user), rolesOf(user)])),
  };
}

function isFalse(value: unknown): boolean {
  return textOf(value)?.toLowerCase() === 'false';
}

/** The client that the service account belongs to; empty for other users. */
function clientOf(user: Members): string {
  return textOf(user.serviceAccountClientId) ?? '';
}

/** The roles of an account, without the default roles. */
function rolesOf(user: Members): string[] {
  const ofRealm = textsOf(user.realmRoles).filter((role) => !role.startsWith('default-roles-'));
  const ofClients = Object.entries(membersOf(user.clientRoles));
  return [...ofRealm, ...ofClients.flatMap(([client, roles]) => textsOf(roles).map((role) => `${client}/${role}`))];
}
