import type { Json } from '../clients/json-value.ts';

/** A field that differs, as a path (`certificates[0].note`). Undefined is absent. */
export interface FieldChange {
  readonly field: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/**
 * Compares two values field by field. The common start and end of two lists are skipped, so that an inserted or removed
 * item is reported as such.
 *
 * @param field the path of the values
 * @returns none when they are equal
 */
export function diffFields(before: Json | undefined, after: Json | undefined, field = ''): readonly FieldChange[] {
  if (isList(before) && isList(after)) return diffLists(before, after, field);
  if (isObject(before) && isObject(after)) return diffObjects(before, after, field);
  return isSameJson(before, after) ? [] : [{ field, before, after }];
}

type JsonObject = { readonly [name: string]: Json };

function diffObjects(before: JsonObject, after: JsonObject, field: string): readonly FieldChange[] {
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...names].flatMap((name) => diffFields(ownValue(before, name), ownValue(after, name), pathOf(field, name)));
}

function pathOf(parent: string, name: string): string {
  // Unquoted, a name with a dot or a bracket would look like a path.
  const part = /^[^.[\]"\s]+$/.test(name) ? name : JSON.stringify(name);
  return parent === '' ? part : `${parent}.${part}`;
}

function ownValue(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function diffLists(before: readonly Json[], after: readonly Json[], field: string): readonly FieldChange[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && isSameJson(before[start], after[start])) start += 1;
  let end = 0;
  while (end < shorter - start && isSameJson(before.at(-1 - end), after.at(-1 - end))) end += 1;
  const length = Math.max(before.length, after.length) - start - end;
  return Array.from({ length }, (_, offset) => start + offset).flatMap((index) => {
    const item = (list: readonly Json[]) => (index < list.length - end ? list[index] : undefined);
    return diffFields(item(before), item(after), `${field}[${index}]`);
  });
}

/** Both come from records whose fields are in the same order. */
function isSameJson(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
