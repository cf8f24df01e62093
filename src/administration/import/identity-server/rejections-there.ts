import type { Server } from './client.ts';
import { itemsOf, type Section, textOf, textsOf } from './dotnet-configuration.ts';
import { flagOf, integerOf } from './dotnet-values.ts';

const MAX_CLIENT_ID = 100;
/** `KeyManagement`: keys sign for 90 days, and are published for 14 more. */
const MAX_LIFETIME = 104 * 86_400;

/** Why IdentityServer rejects every request of a client, whatever certificate it has, one clause each. */
export function rejectionsThere(clientId: string, client: Section, { configuration }: Server): string[] {
  const maxClientId = integerOf(configuration.option('InputLengthRestrictions.ClientId')) ?? MAX_CLIENT_ID;
  // A list of tables may lack this one.
  const isUnknown = configuration.isFromTables && !client.has('redirecturis');
  return [
    ...(clientId.length > maxClientId ? [`its ClientId is longer than ${maxClientId} characters`] : []),
    ...(flagOf(client.get('requireclientsecret'), true) ? [] : [NO_SECRET]),
    ...lifetimeRejections(client),
    ...(configuration.isFromTables ? grantRejections(client) : []),
    ...redirectRejections(client, isUnknown || allowsUnregisteredUris(client, configuration)),
    ...originRejections(client),
  ];
}

const NO_SECRET =
  'RequireClientSecret is false (before version 7.3, it got tokens there with any certificate; here its own is required)';

/** Those that must be positive, and those that may be zero. */
const lifetimes: Readonly<Record<string, number>> = {
  AccessTokenLifetime: 1,
  IdentityTokenLifetime: 1,
  AbsoluteRefreshTokenLifetime: 0,
  SlidingRefreshTokenLifetime: 0,
};

const exclusiveGrants = ['implicit', 'authorization_code', 'hybrid'];

/** The configuration of .NET omits the later one; IdentityServer fails to load such a client from its database. */
function grantRejections(client: Section): string[] {
  const grants = textsOf(client.get('allowedgranttypes')).filter((grant) => exclusiveGrants.includes(grant));
  return grants.length > 1 ? [`its grant types ${grants.join(' and ')} exclude each other`] : [];
}

const DEVICE_FLOW = 'urn:ietf:params:oauth:grant-type:device_code';

function lifetimeRejections(client: Section): string[] {
  const tooShort = Object.entries(lifetimes).flatMap(([name, least]) => {
    const seconds = integerOf(client.get(name.toLowerCase()));
    return seconds !== undefined && seconds < least ? [`${name} is ${seconds}`] : [];
  });
  const deviceCode = integerOf(client.get('devicecodelifetime')) ?? 1;
  const hasDeviceFlow = textsOf(client.get('allowedgranttypes')).includes(DEVICE_FLOW);
  if (hasDeviceFlow && deviceCode < 1) tooShort.push(`DeviceCodeLifetime is ${deviceCode}`);
  const lifetime = integerOf(client.get('accesstokenlifetime')) ?? 0;
  const tooLong = lifetime > MAX_LIFETIME ? [`AccessTokenLifetime is longer than a signing key is published`] : [];
  return [...tooShort, ...tooLong];
}

/** `PushedAuthorization` can make redirect URIs optional, for clients with a secret. */
function allowsUnregisteredUris(client: Section, configuration: Server['configuration']): boolean {
  const isAllowed = flagOf(configuration.option('PushedAuthorization.AllowUnregisteredPushedRedirectUris'), false);
  return isAllowed && flagOf(client.get('requireclientsecret'), true);
}

const redirectingGrants = ['authorization_code', 'hybrid', 'implicit'];
const forbiddenSchemes = /^(?:javascript|file|data|mailto|ftp|blob|about|ssh|tel|view-source|wss?):/i;

function redirectRejections(client: Section, isOptional: boolean): string[] {
  const uris = textsOf(client.get('redirecturis'));
  const grants = textsOf(client.get('allowedgranttypes'));
  const needsUri = !isOptional && redirectingGrants.some((grant) => grants.includes(grant));
  const all = [...uris, ...textsOf(client.get('postlogoutredirecturis'))];
  return [
    ...(needsUri && uris.length === 0 ? ['RedirectUris is empty, which its other grant types require'] : []),
    ...all.filter((uri) => forbiddenSchemes.test(uri)).map((uri) => `the redirect URI "${uri}" has a forbidden scheme`),
  ];
}

/** A number is a text in .NET, and an empty text is not left out. */
function originRejections(client: Section): string[] {
  const origins = itemsOf(client.get('allowedcorsorigins')).flatMap(({ value }) =>
    value === '' ? '' : (textOf({ name: '', value }) ?? []),
  );
  return origins
    .filter((origin) => !isOrigin(origin))
    .map((origin) => `AllowedCorsOrigins has "${origin}", which is not an origin`);
}

function isOrigin(text: string): boolean {
  return (
    textOf({ name: '', value: text.trim() }) !== undefined && URL.parse(text)?.pathname === '/' && !text.endsWith('/')
  );
}
