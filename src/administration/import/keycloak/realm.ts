import { listOf, type Members, membersOf, textOf, textsOf } from './json.ts';

/** What a realm says about all of its clients; of a client on its own, nothing. */
export interface Realm {
  /** Whether it is switched off, and with it every client. */
  readonly isDisabled: boolean;
  /** Of access tokens, in seconds. */
  readonly lifetime: string | undefined;
  /** Scopes of clients that name none. */
  readonly defaultScopes: readonly string[];
  readonly scopes: ReadonlyMap<string, Members>;
  /** The clients whose service account is disabled, and which therefore get no token. */
  readonly stopped: ReadonlySet<string>;
  /** The roles of the service account of a client, which its tokens hold. */
  readonly rolesOf: ReadonlyMap<string, readonly string[]>;
}

/** Reads that. */
export function readRealm(realm: Members): Realm {
  const scopes = listOf(realm.clientScopes).map(membersOf);
  const accounts = listOf(realm.users).map(membersOf);
  return {
    isDisabled: isFalse(realm.enabled),
    lifetime: textOf(realm.accessTokenLifespan),
    defaultScopes: textsOf(realm.defaultDefaultClientScopes),
    scopes: new Map(scopes.map((scope) => [textOf(scope.name) ?? '', scope])),
    stopped: new Set(accounts.filter(({ enabled }) => isFalse(enabled)).map(clientOf)),
    rolesOf: new Map(accounts.map((user) => [clientOf(user), rolesOfAccount(user)])),
  };
}

function isFalse(value: unknown): boolean {
  return textOf(value)?.toLowerCase() === 'false';
}

/** Empty for a user who is a person. */
function clientOf(user: Members): string {
  return textOf(user.serviceAccountClientId) ?? '';
}

/** Without those that every account has. */
function rolesOfAccount(user: Members): string[] {
  const ofRealm = textsOf(user.realmRoles).filter((role) => !role.startsWith('default-roles-'));
  const ofClients = Object.entries(membersOf(user.clientRoles));
  return [...ofRealm, ...ofClients.flatMap(([client, roles]) => textsOf(roles).map((role) => `${client}/${role}`))];
}
