import { abbreviate } from '../../../text.ts';
import { isTrue, type Members, membersOf, textOf, textsOf } from './json.ts';

/** Members of a client that switch on what is not served here. */
const switches = [
  'standardFlowEnabled',
  'implicitFlowEnabled',
  'directAccessGrantsEnabled',
  'authorizationServicesEnabled',
  'consentRequired',
];

/** The same, of its attributes. */
const attributeSwitches = [
  'client.use.lightweight.access.token.enabled',
  'client_credentials.use_refresh_token',
  'dpop.bound.access.tokens',
  'oauth2.device.authorization.grant.enabled',
  'oauth2.jwt.authorization.grant.enabled',
  'oidc.ciba.grant.enabled',
  'require.pushed.authorization.requests',
  'standard.token.exchange.enabled',
];

/** What of a client has no equivalent, one sentence each. */
export function unsupportedFields(client: Members, roles: readonly string[]): string[] {
  const attributes = membersOf(client.attributes);
  const on = [
    ...switches.filter((name) => isTrue(client[name])),
    ...attributeSwitches.filter((name) => isTrue(attributes[name])),
  ];
  const lists = ['redirectUris', 'webOrigins'].map((name) => [name, textsOf(client[name]).join(', ')] as const);
  const overrides = Object.keys(membersOf(client.authenticationFlowBindingOverrides));
  return [
    ...on.map((name) => `${name} has no equivalent`),
    ...lists.flatMap(([name, text]) => (text === '' ? [] : `${name} ${abbreviate(text)}: no equivalent`)),
    ...(overrides.length > 0 ? ['authenticationFlowBindingOverrides have no equivalent'] : []),
    ...unsupportedAttributes(attributes),
    ...(roles.length > 0 ? [`the roles ${abbreviate(roles.join(', '))} of its service account are in no token`] : []),
  ];
}

function unsupportedAttributes(attributes: Members): string[] {
  const algorithm = textOf(attributes['access.token.signed.response.alg']);
  const authority = textOf(attributes['x509.casubjectdn']);
  return [
    ...(algorithm === undefined
      ? []
      : [`access.token.signed.response.alg ${algorithm}: the key of the server decides`]),
    ...(authority === undefined
      ? []
      : [
          `x509.casubjectdn ${abbreviate(authority)}: any CA that the server trusts will do, until you write that CA's ` +
            'key as tls_client_auth_ca (`countersign certificate CA.pem` prints it)',
        ]),
  ];
}
