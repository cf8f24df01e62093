import { abbreviate } from '../../../text.ts';
import { isTrue, type Members, membersOf, textOf, textsOf } from './json.ts';

/** Members of a client that enable unsupported features. */
const unsupportedSwitches = [
  'standardFlowEnabled',
  'implicitFlowEnabled',
  'directAccessGrantsEnabled',
  'authorizationServicesEnabled',
  'consentRequired',
];

/** Attributes of a client that enable unsupported features. */
const unsupportedAttributeSwitches = [
  'client.use.lightweight.access.token.enabled',
  'client_credentials.use_refresh_token',
  'dpop.bound.access.tokens',
  'oauth2.device.authorization.grant.enabled',
  'oauth2.jwt.authorization.grant.enabled',
  'oidc.ciba.grant.enabled',
  'require.pushed.authorization.requests',
  'standard.token.exchange.enabled',
];

/**
 * The unsupported features of a client, one sentence each.
 *
 * @param roles the roles of its service account
 */
export function unsupportedFields(client: Members, roles: readonly string[]): string[] {
  const attributes = membersOf(client.attributes);
  const enabled = [
    ...unsupportedSwitches.filter((name) => isTrue(client[name])),
    ...unsupportedAttributeSwitches.filter((name) => isTrue(attributes[name])),
  ];
  const lists = ['redirectUris', 'webOrigins'].map((name) => [name, textsOf(client[name]).join(', ')] as const);
  const overrides = Object.keys(membersOf(client.authenticationFlowBindingOverrides));
  return [
    ...enabled.map((name) => `${name}: not supported`),
    ...lists.flatMap(([name, text]) => (text === '' ? [] : `${name} ${abbreviate(text)}: not supported`)),
    ...(overrides.length > 0 ? ['authenticationFlowBindingOverrides: not supported'] : []),
    ...unsupportedAttributes(attributes),
    ...(roles.length > 0
      ? [`service account roles ${abbreviate(roles.join(', '))}: not supported, so tokens do not contain them`]
      : []),
  ];
}

function unsupportedAttributes(attributes: Members): string[] {
  const algorithm = textOf(attributes['access.token.signed.response.alg']);
  const caSubject = textOf(attributes['x509.casubjectdn']);
  return [
    ...(algorithm === undefined
      ? []
      : [`access.token.signed.response.alg ${algorithm}: the signing key of the server determines the algorithm`]),
    ...(caSubject === undefined
      ? []
      : [
          `x509.casubjectdn ${abbreviate(caSubject)}: any trusted CA is accepted unless you set tls_client_auth_ca to the ` +
            'key of that CA (run `countersign certificate CA.pem` to print it)',
        ]),
  ];
}
