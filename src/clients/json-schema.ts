import { z } from 'zod';
import { type AuthenticationMethodName, authenticationMethodNames, authenticationMethods } from './methods/methods.ts';
import { foreignFields } from './parse-client-authentication.ts';
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

/** The types of IdentityServer's secrets imply the method. */
function rulesOfMethods(): object[] {
  return [
    { anyOf: eachOf(['token_endpoint_auth_method', 'client_secrets']) },
    ...authenticationMethodNames.map((method) => ruleOfMethod(method, identificationRule(method))),
  ];
}

/** Which fields identify a client of this method: exactly one of them, or any number. */
function identificationRule(method: AuthenticationMethodName): Rule {
  const { quantity, fields } = authenticationMethods[method].identifiedBy;
  const required = eachOf([...fields, 'client_secrets']);
  return quantity === 'any'
    ? { anyOf: required }
    : { oneOf: required, properties: { client_secrets: { maxItems: 1 } } };
}

function ruleOfMethod(method: AuthenticationMethodName, rule: Rule): object {
  const forbidden = Object.fromEntries(foreignFields(method).map((field) => [field, false]));
  return {
    if: { properties: { token_endpoint_auth_method: { const: method } }, required: ['token_endpoint_auth_method'] },
    // biome-ignore lint/suspicious/noThenProperty: it is the keyword of JSON Schema
    then: { ...rule, properties: { ...forbidden, ...rule.properties } },
  };
}

function eachOf(fields: readonly Field[]): object[] {
  return fields.map((field) => ({ required: [field] }));
}
