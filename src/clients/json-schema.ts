import { z } from 'zod';
import type { AuthenticationMethodName } from './client.ts';
import { methodFields, subjectFields } from './parse-client-authentication.ts';
import { type ClientRecord, clientRecordSchema } from './record-schema.ts';

/** Where the published schema of this version is, as `docs/clients.schema.json` and by `countersign clients schema`. */
const TITLE = 'Clients of Countersign';

/**
 * The JSON Schema of a file of clients (draft 2020-12), for editors: a list, or `{clients: [list]}`. It is made of what
 * validates records. It accepts whatever the server accepts, and refuses all that has the wrong form; whether a name, a
 * certificate or a thumbprint is one, and whether the parts of a record fit together, is for `countersign clients check`.
 */
export function clientsSchema(): object {
  const { $schema, $defs = {}, ...record } = z.toJSONSchema(clientRecordSchema, { io: 'input' });
  const list = { type: 'array', items: { $ref: '#/$defs/client' }, description: 'the records of clients' };
  const properties = { $schema: { type: 'string', description: 'where this schema is, for editors' }, clients: list };
  return {
    $schema,
    title: TITLE,
    anyOf: [list, { type: 'object', properties, required: ['clients'], additionalProperties: false }],
    $defs: { client: { ...record, allOf: rulesOfMethods() }, ...$defs },
  };
}

type Field = keyof ClientRecord;

interface Rule {
  readonly anyOf?: readonly object[];
  readonly oneOf?: readonly object[];
  readonly properties?: object;
}

/** IdentityServer's secrets say by their types what the method is. */
function rulesOfMethods(): object[] {
  return [
    { anyOf: eachOf(['token_endpoint_auth_method', 'client_secrets']) },
    ruleOfMethod('tls_client_auth', {
      oneOf: eachOf([...subjectFields, 'client_secrets']),
      properties: { client_secrets: { maxItems: 1 } },
    }),
    ruleOfMethod('self_signed_tls_client_auth', { anyOf: eachOf(['certificates', 'jwks', 'client_secrets']) }),
  ];
}

function ruleOfMethod(method: AuthenticationMethodName, rule: Rule): object {
  const foreign = Object.entries(methodFields).flatMap(([other, fields]) => (other === method ? [] : fields));
  const forbidden = Object.fromEntries(foreign.map((field) => [field, false]));
  return {
    if: { properties: { token_endpoint_auth_method: { const: method } }, required: ['token_endpoint_auth_method'] },
    // biome-ignore lint/suspicious/noThenProperty: it is the keyword of JSON Schema
    then: { ...rule, properties: { ...forbidden, ...rule.properties } },
  };
}

function eachOf(fields: readonly Field[]): object[] {
  return fields.map((field) => ({ required: [field] }));
}
