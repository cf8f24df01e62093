import { abbreviate } from '../../../text.ts';
import { itemsOf, type Member, type Section, textOf, textsOf } from './dotnet-configuration.ts';

/** The properties of IdentityServer's `Client` that are imported, or that do not apply to client credentials. */
const importedProperties = new Set(
  (
    'clientid clientname clienturi enabled clientsecrets allowedscopes accesstokenlifetime claims clientclaimsprefix ' +
    'allowedgranttypes description alwayssendclientclaims'
  ).split(' '),
);

/** The default values, in lower case, of the other properties in every version. An empty value is always a default. */
const defaultValues: Readonly<Record<string, readonly string[]>> = {
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

/** What replaces a property, where "not supported" would mislead. */
const consequences: Readonly<Record<string, string>> = {
  requireclientsecret: 'a certificate is always required',
  accesstokentype: 'every access token is a JWT',
  includejwtid: 'every token has a jti',
};

/**
 * The unsupported properties of a client: each one whose value is not its default, one sentence each. The values of
 * properties that are not in the table may be secrets and are omitted.
 */
export function unsupportedFields(client: Section): string[] {
  return [...client].flatMap(([key, member]) => {
    if (importedProperties.has(key) || isEmpty(member)) return [];
    const known = Object.hasOwn(defaultValues, key) ? defaultValues[key] : undefined;
    const value = abbreviatedValue(member);
    if (known?.includes(value.toLowerCase())) return [];
    const consequence = Object.hasOwn(consequences, key) ? consequences[key] : 'not supported';
    return `${member.name}${known ? ` ${value}` : ''}: ${consequence}`;
  });
}

function isEmpty(member: Member): boolean {
  return textOf(member) === undefined && itemsOf(member).length === 0;
}

function abbreviatedValue(member: Member): string {
  return abbreviate(textOf(member) ?? textsOf(member).join(', '));
}
