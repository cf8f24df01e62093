import { z } from 'zod';
import { clientRecordSchema } from './record-schema.ts';

/** The order of the fields of a value: that of the schema, otherwise alphabetical. */
type FieldOrder =
  | { readonly kind: 'fields'; readonly fields: ReadonlyMap<string, FieldOrder> }
  | { readonly kind: 'items'; readonly items: FieldOrder }
  | { readonly kind: 'alphabetical' };

const alphabetical: FieldOrder = { kind: 'alphabetical' };
const serialize = recordSerializer(clientRecordSchema);

/**
 * Serializes the record of a client for Redis. A client that is disabled and re-enabled has the text that it had before.
 *
 * @param record as parsed from YAML or JSON
 * @throws {RangeError} if it is nested too deeply
 */
export function serializeClient(record: unknown): string {
  return serialize(withoutEnabled(record));
}

/**
 * Serializes the records of a schema for Redis: JSON with the fields in the order of the schema. Equal records have the
 * same text.
 */
export function recordSerializer(schema: z.ZodObject): (record: unknown) => string {
  const order = orderOf(schema);
  return (record) => JSON.stringify(ordered(record, order));
}

/** Removes `enabled: true`, which is the default. */
function withoutEnabled(record: unknown): unknown {
  if (typeof record !== 'object' || record === null || !('enabled' in record) || record.enabled !== true) return record;
  const { enabled: _, ...others } = record;
  return others;
}

function orderOf(schema: unknown): FieldOrder {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return orderOf(schema.unwrap());
  if (schema instanceof z.ZodArray) return { kind: 'items', items: orderOf(schema.element) };
  if (!(schema instanceof z.ZodObject)) return alphabetical;
  const fields = Object.entries(schema.shape).map(([name, field]) => [name, orderOf(field)] as const);
  return { kind: 'fields', fields: new Map(fields) };
}

function ordered(value: unknown, order: FieldOrder): unknown {
  if (Array.isArray(value)) {
    const items = order.kind === 'items' ? order.items : alphabetical;
    return value.map((item) => ordered(item, items));
  }
  if (typeof value !== 'object' || value === null) return value;
  return orderedFields(value, order.kind === 'fields' ? order.fields : noFields);
}

const noFields: ReadonlyMap<string, FieldOrder> = new Map();

function orderedFields(value: object, fields: ReadonlyMap<string, FieldOrder>): object {
  const members: Record<string, unknown> = { ...value };
  const names = Object.keys(value);
  const result: Record<string, unknown> = {};
  let known = 0;
  for (const [name, order] of fields) {
    if (!Object.hasOwn(value, name)) continue;
    result[name] = ordered(members[name], order);
    known += 1;
  }
  if (known === names.length) return result;
  for (const name of names.filter((each) => !fields.has(each)).sort())
    define(result, name, ordered(members[name], alphabetical));
  return result;
}

/** An assignment to `__proto__` would set the prototype instead. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}
