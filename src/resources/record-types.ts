import { recordSerializer, serializeClient } from '../clients/serialize-record.ts';
import { CLIENT_ID_GRAMMAR, isClientId } from '../oauth/grammar.ts';
import { resourceRecordSchema } from './record-schema.ts';
import { isResourceName } from './resource.ts';

interface RecordTypeDescriptor {
  /** The field of a file that has a list of them. */
  readonly list: string;
  /** The field that identifies a record among those of its type. */
  readonly idField: string;
  /** Only such an id becomes part of a Redis key. */
  readonly isId: (text: string) => boolean;
  /** What `isId` accepts. */
  readonly idGrammar: string;
  /** The value in Redis of a record as parsed from YAML or JSON. */
  readonly serialize: (record: unknown) => string;
}

/** The types of records that files and Redis hold. */
export const recordTypes = {
  client: {
    list: 'clients',
    idField: 'client_id',
    isId: isClientId,
    idGrammar: CLIENT_ID_GRAMMAR,
    serialize: serializeClient,
  },
  resource: {
    list: 'resources',
    idField: 'name',
    isId: isResourceName,
    idGrammar: '1 to 63 lowercase letters, digits and hyphens',
    serialize: recordSerializer(resourceRecordSchema),
  },
} as const satisfies Record<string, RecordTypeDescriptor>;

export type RecordType = keyof typeof recordTypes;

// Safe: the keys of the table.
export const recordTypeNames = Object.keys(recordTypes) as RecordType[];

/** Identifies a record: a client by its `client_id`, a resource by its name. */
export interface RecordKey {
  readonly type: RecordType;
  readonly id: string;
}

export function clientKey(id: string): RecordKey {
  return { type: 'client', id };
}

export function resourceKey(id: string): RecordKey {
  return { type: 'resource', id };
}

/** The type of a record that is in a list of any: a resource has a name, and no `client_id`. */
export function typeOfRecord(value: unknown): RecordType {
  const { client, resource } = recordTypes;
  return hasField(value, resource.idField) && !hasField(value, client.idField) ? 'resource' : 'client';
}

/** The id of a value that may not be a valid record. */
export function idOfRecord(type: RecordType, value: unknown): string | undefined {
  const { idField } = recordTypes[type];
  // Safe: any value has any field, of an unknown type.
  const id = hasField(value, idField) ? (value as Record<string, unknown>)[idField] : undefined;
  return typeof id === 'string' ? id : undefined;
}

function hasField(value: unknown, field: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, field);
}
