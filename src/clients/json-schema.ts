import { z } from 'zod';
import { type AuthenticationMethodName, authenticationMethodNames, authenticationMethods } from './methods/methods.ts';
import { foreignFields } from './parse-client-authentication.ts';
import { type ClientRecord, clientRecordSchema } from './record-schema.ts';

/**
 * The JSON Schema of a clients file (draft 2020-12), for editors: a list, or `{clients: [list]}`. It is generated from the
 * schema that validates records. It accepts every record that the server accepts, and checks only the form of values:
 * `countersign clients check` also validates names, certificates and thumbprints, and the consistency of a record.
 */
export function clientsSchema(): object {
  const { $schema, $defs = {}, ...record } = z.toJSONSchema(clientRecordSchema, { io: 'input' });
  const list = { type: 'array', items: { $ref: '#/$defs/client' }, description: 'client records' };
  const properties = {
    $schema: { type: 'string', description: 'location of this schema, for editors' },
    clients: list,
  };
  return {
    $schema,
    title: 'Clients of Countersign',
    anyOf: [list, { type: 'object', properties, required: ['clients'], additionalProperties: false }],
    $defs: { client: { ...record, allOf: methodRules() }, ...$defs },
  };
}

type Field = keyof ClientRecord;

interface Rule {
  readonly anyOf?: readonly object[];
  readonly oneOf?: readonly object[];
  readonly properties?: object;
}

/** The types of IdentityServer's secrets imply the method. */
function methodRules(): object[] {
  return [
    { anyOf: eachOf(['token_endpoint_auth_method', 'client_secrets']) },
    ...authenticationMethodNames.map((method) => methodRule(method, identificationRule(method))),
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

function methodRule(method: AuthenticationMethodName, rule: Rule): object {
  const forbidden = Object.fromEntries(foreignFields(method).map((field) => [field, false]));
  const { dependentRequired } = authenticationMethods[method];
  const requirements = Object.keys(dependentRequired).length > 0 ? { dependentRequired } : {};
  return {
    if: { properties: { token_endpoint_auth_method: { const: method } }, required: ['token_endpoint_auth_method'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { ...rule, properties: { ...forbidden, ...rule.properties }, ...requirements },
  };
}

function eachOf(fields: readonly Field[]): object[] {
  return fields.map((field) => ({ required: [field] }));
}
