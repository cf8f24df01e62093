import type { Client } from '../../src/clients/client.ts';
import { parseClient } from '../../src/clients/parse-client.ts';
import { selfSigned } from './certificates.ts';
import { withSha1 } from './policy.ts';

/**
 * A client with these record fields, which determine its authentication method.
 *
 * @throws if the record is invalid
 */
export function registeredClient(fields: object): Client {
  const isNamed = Object.keys(fields).some((field) => field.startsWith('tls_client_auth'));
  const method = isNamed ? 'tls_client_auth' : 'self_signed_tls_client_auth';
  const authentication = 'client_secrets' in fields ? {} : { token_endpoint_auth_method: method };
  const result = parseClient({ client_id: 'a', ...authentication, ...fields }, withSha1, 0);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.client;
}

/** A certificate with a subject alternative name of every type. */
export const manyNamed = selfSigned({
  subject: [
    ['O', 'company'],
    ['CN', 'client'],
  ],
  dns: ['A.example'],
  uris: ['spiffe://a/b'],
  ips: ['10.0.0.1'],
  emails: ['me@A.example'],
});
