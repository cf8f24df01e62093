import { documentationUrl } from '../../documentation.ts';

/** How long verifiers accept a key that has left the JWKS, as in the table of docs/keys.md. */
export const verifierCaches: readonly (readonly [verifier: string, accepts: string])[] = [
  ['Envoy', '10 minutes'],
  ['Istio', '20 minutes'],
  ['.NET', '13 h 36 min'],
  ['Spring, Nimbus', '5 minutes'],
  ['jose', '10 minutes'],
  ['PyJWT', '5 minutes'],
  ['AWS API Gateway', '2 hours'],
  ['APISIX, lua-resty-openidc', '48 hours'],
  ['go-oidc', 'until it meets an unknown kid, or restarts'],
];

/** What no command can fix. */
export function verifierCachesText(): string {
  const width = Math.max(...verifierCaches.map(([verifier]) => verifier.length));
  const rows = verifierCaches.map(([verifier, accepts]) => `  ${verifier.padEnd(width)}  ${accepts}`);
  return [
    'The edge and introspection of every server reject the tokens of the removed key within a second.',
    'Verifiers elsewhere accept it until their cache of the JWKS expires; restart them, or purge it. By default:',
    ...rows,
    `More: ${documentationUrl('keys.md')}, "Respond to a leaked key"`,
  ].join('\n');
}
