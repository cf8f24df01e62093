import { z } from 'zod';
import { clientRecordSchema } from './record-schema.ts';

/** In which order the fields of a value stand: as in the schema, or where that names none by their names. */
type Order =
  | { readonly kind: 'fields'; readonly fields: ReadonlyMap<string, Order> }
  | { readonly kind: 'items'; readonly items: Order }
  | { readonly kind: 'free' };

const free: Order = { kind: 'free' };
const recordOrder = orderOf(clientRecordSchema);

/**
 * A record as it stands in Redis: JSON with the fields in the order of the schema, and no defaults filled in. Records
 * with the same members have the same text, and whoever was disabled and enabled again has the one of before.
 *
 * @param record as it came from YAML or JSON
 * @throws {RangeError} when it is nested too deeply
 */
export function serializeRecord(record: unknown): string {
  return JSON.stringify(ordered(withoutEnabled(record), recordOrder));
}

/** That a client is enabled, most records say by not saying it. */
function withoutEnabled(record: unknown): unknown {
  if (typeof record !== 'object' || record === null || !('enabled' in record) || record.enabled !== true) return record;
  const { enabled: _, ...others } = record;
  return others;
}

function orderOf(schema: unknown): Order {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return orderOf(schema.unwrap());
  if (schema instanceof z.ZodArray) return { kind: 'items', items: orderOf(schema.element) };
  if (!(schema instanceof z.ZodObject)) return free;
  const fields = Object.entries(schema.shape).map(([name, field]) => [name, orderOf(field)] as const);
  return { kind: 'fields', fields: new Map(fields) };
}

function ordered(value: unknown, order: Order): unknown {
  if (Array.isArray(value)) {
    const items = order.kind === 'items' ? order.items : free;
    return value.map((item) => ordered(item, items));
  }
  if (typeof value !== 'object' || value === null) return value;
  return orderedFields(value, order.kind === 'fields' ? order.fields : noFields);
}

const noFields: ReadonlyMap<string, Order> = new Map();

function orderedFields(value: object, fields: ReadonlyMap<string, Order>): object {
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
    define(result, name, ordered(members[name], free));
  return result;
}

/** As a member also `__proto__`, which an assignment would make the prototype. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}
