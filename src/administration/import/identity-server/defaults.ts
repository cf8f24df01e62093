import { abbreviate } from '../../../text.ts';
import { itemsOf, type Member, type Section, textOf, textsOf } from './dotnet-configuration.ts';

/** The properties of IdentityServer's `Client` that a record holds, or that change nothing for client credentials. */
const carried = new Set(
  (
    'clientid clientname clienturi enabled clientsecrets allowedscopes accesstokenlifetime claims clientclaimsprefix ' +
    'allowedgranttypes description alwayssendclientclaims'
  ).split(' '),
);

/** The others: their defaults in lower case, of all versions; nothing at all is always one. */
const defaults: Readonly<Record<string, readonly string[]>> = {
  protocoltype: ['oidc'],
  requireclientsecret: ['true'],
  logouri: [],
  requireconsent: ['false'],
  allowrememberconsent: ['true'],
  requirepkce: ['true'],
  allowplaintextpkce: ['false'],
  requirerequestobject: ['false'],
  requiredpop: ['false'],
  dpopvalidationmode: ['iat', '1'],
  dpopclockskew: ['00:05:00'],
  requirepushedauthorization: ['false'],
  pushedauthorizationlifetime: [],
  redirecturis: [],
  postlogoutredirecturis: [],
  frontchannellogouturi: [],
  frontchannellogoutsessionrequired: ['true'],
  backchannellogouturi: [],
  backchannellogoutsessionrequired: ['true'],
  allowofflineaccess: ['false'],
  allowaccesstokensviabrowser: ['false'],
  alwaysincludeuserclaimsinidtoken: ['false'],
  identitytokenlifetime: ['300'],
  allowedidentitytokensigningalgorithms: [],
  authorizationcodelifetime: ['300'],
  absoluterefreshtokenlifetime: ['2592000'],
  slidingrefreshtokenlifetime: ['1296000'],
  consentlifetime: [],
  refreshtokenusage: ['onetimeonly', '1', 'reuse', '0'],
  updateaccesstokenclaimsonrefresh: ['false'],
  refreshtokenexpiration: ['absolute', '1'],
  accesstokentype: ['jwt', '0'],
  enablelocallogin: ['true'],
  identityproviderrestrictions: [],
  includejwtid: ['true'],
  userssolifetime: [],
  usercodetype: [],
  devicecodelifetime: ['300'],
  cibalifetime: [],
  pollinginterval: [],
  coordinatelifetimewithusersession: [],
  allowedcorsorigins: [],
  initiateloginuri: [],
};

/** What becomes of some of them, which "no equivalent" would not tell. */
const consequences: Readonly<Record<string, string>> = {
  requireclientsecret: 'the certificate is asked for in any case',
  accesstokentype: 'every access token is a JWT',
  includejwtid: 'every token has a jti',
};

/**
 * What of a client has no equivalent: each property that is set to something other than its default, one sentence each.
 * The values of properties that are not in the table may be secrets, and are not told.
 */
export function unsupportedFields(client: Section): string[] {
  return [...client].flatMap(([key, member]) => {
    if (carried.has(key) || isNothing(member)) return [];
    const usual = Object.hasOwn(defaults, key) ? defaults[key] : undefined;
    const value = shown(member);
    if (usual?.includes(value.toLowerCase())) return [];
    const consequence = Object.hasOwn(consequences, key) ? consequences[key] : 'has no equivalent';
    return `${member.name}${usual ? ` ${value}` : ''}: ${consequence}`;
  });
}

function isNothing(member: Member): boolean {
  return textOf(member) === undefined && itemsOf(member).length === 0;
}

function shown(member: Member): string {
  return abbreviate(textOf(member) ?? textsOf(member).join(', '));
}
