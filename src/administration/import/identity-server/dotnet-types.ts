import type { Section } from './dotnet-configuration.ts';
import { flagOf, integerOf, isEnumMember } from './dotnet-values.ts';

const flags =
  'Enabled RequireClientSecret RequireConsent AllowRememberConsent RequirePkce AllowPlainTextPkce RequireRequestObject ' +
  'AllowAccessTokensViaBrowser RequireDPoP FrontChannelLogoutSessionRequired BackChannelLogoutSessionRequired ' +
  'AllowOfflineAccess AlwaysIncludeUserClaimsInIdToken RequirePushedAuthorization UpdateAccessTokenClaimsOnRefresh ' +
  'EnableLocalLogin IncludeJwtId AlwaysSendClientClaims RequireResourceIndicator Required Emphasize ' +
  'ShowInDiscoveryDocument';
const integers =
  'IdentityTokenLifetime AccessTokenLifetime AuthorizationCodeLifetime AbsoluteRefreshTokenLifetime ' +
  'SlidingRefreshTokenLifetime DeviceCodeLifetime';
const nullableFlags = 'CoordinateLifetimeWithUserSession';
const nullableIntegers = 'ConsentLifetime PushedAuthorizationLifetime UserSsoLifetime CibaLifetime PollingInterval';
const enumerations = {
  AccessTokenType: ['Jwt', 'Reference'],
  RefreshTokenUsage: ['ReUse', 'OneTimeOnly'],
  RefreshTokenExpiration: ['Sliding', 'Absolute'],
} as const;

type Conversion = (section: Section, key: string) => unknown;

/** By the property in lower case. */
const conversions = new Map<string, Conversion>([
  ...keyed(flags, (section, key) => flagOf(section.get(key), false)),
  ...keyed(integers, (section, key) => integerOf(section.get(key))),
  ...keyed(nullableFlags, (section, key) => isEmpty(section, key) || flagOf(section.get(key), false)),
  ...keyed(nullableIntegers, (section, key) => isEmpty(section, key) || integerOf(section.get(key))),
  ...Object.entries(enumerations).flatMap(([name, members]) =>
    keyed(name, (section, key) => isEnumMember(section.get(key), members, members[0], true)),
  ),
]);

function keyed(names: string, convert: Conversion): [string, Conversion][] {
  return names.split(' ').map((name) => [name.toLowerCase(), convert]);
}

/** An empty text is no value of a nullable type. */
function isEmpty(section: Section, key: string): boolean {
  return section.get(key)?.value === '';
}

const flagKeys = new Set(`${flags} ${nullableFlags}`.toLowerCase().split(' '));

/** The flags that are 1 or 0, by name: databases write them, and the binder of .NET rejects them. */
export function numericFlags(section: Section): string[] {
  return [...section].flatMap(([key, { name, value }]) =>
    flagKeys.has(key) && /^\s*[01]\s*$/.test(String(value)) ? [name] : [],
  );
}

/**
 * Checks the properties of a client, a resource or a scope that .NET converts, including those that are otherwise without
 * meaning here: its binder omits the whole item because of one.
 *
 * @throws {ImportError} for a value that .NET cannot convert
 */
export function requireConvertible(section: Section): void {
  for (const key of section.keys()) conversions.get(key)?.(section, key);
}
