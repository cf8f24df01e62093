/** The configuration store of IdentityServer (`ConfigurationDbContext`): its tables and columns that the import reads. */
export interface StoreTable {
  /** The table, and the list of the configuration that its rows are. */
  readonly table: 'Clients' | 'ApiResources' | 'ApiScopes' | 'IdentityResources';
  readonly columns: readonly Column[];
  readonly children: readonly ChildTable[];
}

/** A table whose rows belong to a row of a {@link StoreTable}. */
export interface ChildTable {
  readonly table: string;
  /** The property of IdentityServer's class that has these rows. */
  readonly property: string;
  /** The property of the entity, if it has another name. */
  readonly entityProperty?: string;
  /** Refers to `Id` of the parent. */
  readonly foreignKey: string;
  readonly columns: readonly Column[];
  /** How the class represents a row: by its only column, by an object, or as an entry of a dictionary. */
  readonly shape: 'value' | 'object' | 'entry';
  /** Whether a client or resource cannot be imported without these rows. */
  readonly isEssential?: true;
}

export interface Column {
  readonly name: string;
  readonly kind: 'plain' | 'flag' | 'certificate' | 'omitted';
  /** Not in the tables of every version. */
  readonly isOptional?: true;
}

const plain = (...names: string[]): Column[] => names.map((name) => ({ name, kind: 'plain' }));
const flags = (...names: string[]): Column[] => names.map((name) => ({ name, kind: 'flag' }));
const optional = (columns: Column[]): Column[] => columns.map((column) => ({ ...column, isOptional: true }));

/**
 * The tables as IdentityServer4 4.0 and every Duende IdentityServer create them. What the import does not use stays in the
 * database: hashes of shared secrets, values of properties, and what concerns only users.
 */
export const storeTables: readonly StoreTable[] = [
  {
    table: 'Clients',
    columns: [
      ...plain('ClientId', 'ProtocolType', 'ClientName', 'Description', 'ClientUri', 'ClientClaimsPrefix'),
      ...plain('AccessTokenLifetime', 'AccessTokenType', 'IdentityTokenLifetime', 'AbsoluteRefreshTokenLifetime'),
      ...plain('SlidingRefreshTokenLifetime', 'DeviceCodeLifetime'),
      ...flags('Enabled', 'RequireClientSecret', 'IncludeJwtId'),
      // Duende IdentityServer 6.3.
      ...optional(flags('RequireDPoP')),
    ],
    children: [
      child('ClientGrantTypes', 'AllowedGrantTypes', 'ClientId', 'value', plain('GrantType'), { isEssential: true }),
      child('ClientScopes', 'AllowedScopes', 'ClientId', 'value', plain('Scope'), { isEssential: true }),
      child('ClientSecrets', 'ClientSecrets', 'ClientId', 'object', secretColumns(), { isEssential: true }),
      child('ClientClaims', 'Claims', 'ClientId', 'object', plain('Type', 'Value')),
      child('ClientProperties', 'Properties', 'ClientId', 'entry', entryColumns()),
      child('ClientRedirectUris', 'RedirectUris', 'ClientId', 'value', plain('RedirectUri')),
      child(
        'ClientPostLogoutRedirectUris',
        'PostLogoutRedirectUris',
        'ClientId',
        'value',
        plain('PostLogoutRedirectUri'),
      ),
      child('ClientCorsOrigins', 'AllowedCorsOrigins', 'ClientId', 'value', plain('Origin')),
    ],
  },
  {
    table: 'ApiResources',
    columns: [
      ...plain('Name', 'AllowedAccessTokenSigningAlgorithms'),
      ...flags('Enabled'),
      // Duende IdentityServer 5.0.
      ...optional(flags('RequireResourceIndicator')),
    ],
    children: [
      child('ApiResourceScopes', 'Scopes', 'ApiResourceId', 'value', plain('Scope'), { isEssential: true }),
      child('ApiResourceSecrets', 'ApiSecrets', 'ApiResourceId', 'object', plain('Type'), {
        entityProperty: 'Secrets',
      }),
      child('ApiResourceClaims', 'UserClaims', 'ApiResourceId', 'value', plain('Type')),
    ],
  },
  {
    table: 'ApiScopes',
    columns: [...plain('Name'), ...flags('Enabled')],
    children: [child('ApiScopeClaims', 'UserClaims', 'ScopeId', 'value', plain('Type'))],
  },
  { table: 'IdentityResources', columns: [...plain('Name'), ...flags('Enabled')], children: [] },
];

function child(
  table: string,
  property: string,
  foreignKey: string,
  shape: ChildTable['shape'],
  columns: readonly Column[],
  more: Pick<ChildTable, 'isEssential' | 'entityProperty'> = {},
): ChildTable {
  return { table, property, foreignKey, shape, columns, ...more };
}

/** Only the values of certificates are read: others are hashes of shared secrets. */
function secretColumns(): Column[] {
  return [...plain('Type', 'Description', 'Expiration'), { name: 'Value', kind: 'certificate' }];
}

/** The values may be secrets. */
function entryColumns(): Column[] {
  return [...plain('Key'), { name: 'Value', kind: 'omitted' }];
}

/** The names of all tables that the import reads. */
export const tableNames: readonly string[] = storeTables.flatMap(({ table, children }) => [
  table,
  ...children.map((each) => each.table),
]);
