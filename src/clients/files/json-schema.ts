import { z } from 'zod';
import { MAX_UNBOUND_LIFETIME_SECONDS, resourceRecordSchema } from '../../resources/record-schema.ts';
import { type RecordType, recordTypes } from '../../resources/record-types.ts';
import { type AuthenticationMethodName, authenticationMethodNames, authenticationMethods } from '../methods/methods.ts';
import { foreignFields } from '../parse-registrations.ts';
import { type ClientRecord, clientRecordSchema } from '../record-schema.ts';

/**
 * The JSON Schema of a file of records (draft 2020-12), for editors: a list, or `{clients: [list], resources: [list]}`. It
 * is generated from the schemas that validate records. It accepts every record that the server accepts, and checks only
 * the form of values: `countersign clients check` also validates names, certificates and thumbprints, and the consistency
 * of a record.
 */
export function recordsSchema(): object {
  const { $schema, $defs = {}, ...client } = z.toJSONSchema(clientRecordSchema, { io: 'input' });
  const { $schema: _, ...resource } = z.toJSONSchema(resourceRecordSchema, { io: 'input' });
  const properties = {
    $schema: { type: 'string', description: 'location of this schema, for editors' },
    clients: { type: 'array', items: definitionOf('client'), description: 'client records' },
    resources: { type: 'array', items: definitionOf('resource'), description: 'resource records' },
  };
  const hasList = Object.values(recordTypes).map(({ list }) => ({ required: [list] }));
  return {
    $schema,
    title: 'Clients and resources of Countersign',
    anyOf: [anyRecords, { type: 'object', properties, anyOf: hasList, additionalProperties: false }],
    $defs: {
      client: { ...client, allOf: methodRules() },
      resource: { ...resource, allOf: bindingRules() },
      ...$defs,
    },
  };
}

function definitionOf(type: RecordType): object {
  return { $ref: `#/$defs/${type}` };
}

/** A plain list: a record with a name and no `client_id` is a resource. */
const anyRecords = {
  type: 'array',
  description: 'records of clients and resources',
  items: {
    if: { required: [recordTypes.resource.idField], not: { required: [recordTypes.client.idField] } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: definitionOf('resource'),
    else: definitionOf('client'),
  },
};

/** The certificate of the proxy belongs to its binding. */
function bindingRules(): object[] {
  return [
    {
      if: { properties: { binding: { const: 'proxy' } }, required: ['binding'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['proxy_thumbprints'] },
      else: { properties: { proxy_thumbprints: false } },
    },
    {
      if: { properties: { binding: { const: 'none' } }, required: ['binding'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { access_token_lifetime: { maximum: MAX_UNBOUND_LIFETIME_SECONDS } } },
    },
  ];
}

type Field = keyof ClientRecord;

interface Rule {
  readonly anyOf?: readonly object[];
  readonly oneOf?: readonly object[];
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
  return quantity === 'any' ? { anyOf: required } : { oneOf: required };
}

/** The rules of a client whose record names this method, or has only secrets that imply it. */
function methodRule(method: AuthenticationMethodName, rule: Rule): object {
  const forbidden = Object.fromEntries(foreignFields(method).map((field) => [field, false]));
  const { dependentRequired, secretTypes } = authenticationMethods[method];
  const requirements = Object.keys(dependentRequired).length > 0 ? { dependentRequired } : {};
  const isNamed = {
    properties: { token_endpoint_auth_method: { const: method } },
    required: ['token_endpoint_auth_method'],
  };
  const ownSecrets = { client_secrets: { items: { properties: { type: { enum: secretTypes } } } } };
  const isImplied = {
    not: { required: ['token_endpoint_auth_method'] },
    properties: ownSecrets,
    required: ['client_secrets'],
  };
  return {
    if: { anyOf: [isNamed, isImplied] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { ...rule, properties: { ...forbidden, ...ownSecrets }, ...requirements },
  };
}

function eachOf(fields: readonly Field[]): object[] {
  return fields.map((field) => ({ required: [field] }));
}
