import type { ClientRecord } from './authorization-server.ts';
import type { CertificateOptions } from './certificates.ts';

/** The records of a test of the edge: a file for `COUNTERSIGN_CLIENTS_FILE` or for `clients apply`. */
export interface EdgeRecords {
  readonly clients: readonly ClientRecord[];
  readonly resources: readonly ResourceRecord[];
}

/** A resource record as an operator writes it. */
type ResourceRecord = { readonly name: string; readonly [field: string]: unknown };

const audience = ['https://orders.example', 'https://reports.example', 'https://stock.example'];
const scope = 'orders reports stock';

const named = (clientId: string, fields: object = {}): ClientRecord => ({
  client_id: clientId,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: `CN=${clientId}`,
  audience,
  scope,
  ...fields,
});

/** Each client is registered by its name, except `twin-a` and `twin-b`: the certificate `twin` is that of both. */
export const edgeRecords: EdgeRecords = {
  clients: [
    named('alpha'),
    named('beta'),
    named('outsider', { audience: ['https://other.example'] }),
    named('narrow', { scope: 'other' }),
    named('disabled', { enabled: false }),
    named('edge-only', { grant_types: [] }),
    named('twin-a', { tls_client_auth_subject_dn: 'CN=twin' }),
    named('twin-b', { tls_client_auth_subject_dn: undefined, tls_client_auth_san_dns: 'twin.example' }),
  ],
  resources: [
    { name: 'orders', resource: 'https://orders.example', scope: 'orders', binding: 'caller' },
    {
      name: 'reports',
      resource: 'https://reports.example',
      scope: 'reports',
      binding: 'caller',
      forward: 'original',
      resource_metadata: 'https://api.example/.well-known/oauth-protected-resource/reports',
    },
    { name: 'stock', resource: 'https://stock.example', scope: 'stock', binding: 'caller' },
  ],
};

/** The names in the certificate of a client. */
export function certificateFor(name: string): CertificateOptions {
  return { subject: [['CN', name]], dns: [`${name}.example`] };
}

/** The same records with some fields of one client or resource changed. */
export function withRecord(records: EdgeRecords, id: string, fields: object): EdgeRecords {
  const clients = records.clients.map((record) => (record.client_id === id ? { ...record, ...fields } : record));
  const resources = records.resources.map((record) => (record.name === id ? { ...record, ...fields } : record));
  return { clients, resources };
}
