import type { Json } from '../clients/client.ts';

/** A field that differs, as a path (`certificates[0].note`); undefined is absent. */
export interface FieldChange {
  readonly field: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
}

/**
 * How one value becomes another, field by field. Of two lists, what they begin and end with alike is left out, so that
 * an item that was put in or taken out is told as that.
 *
 * @returns none where both are alike
 */
export function fieldChanges(before: Json | undefined, after: Json | undefined, field = ''): readonly FieldChange[] {
  if (isList(before) && isList(after)) return changesOfLists(before, after, field);
  if (isObject(before) && isObject(after)) return changesOfObjects(before, after, field);
  return sameJson(before, after) ? [] : [{ field, before, after }];
}

type JsonObject = { readonly [name: string]: Json };

function changesOfObjects(before: JsonObject, after: JsonObject, field: string): readonly FieldChange[] {
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...names].flatMap((name) => fieldChanges(own(before, name), own(after, name), pathOf(field, name)));
}

function pathOf(parent: string, name: string): string {
  // A name with a dot or a bracket would read like a path.
  const part = /^[^.[\]"\s]+$/.test(name) ? name : JSON.stringify(name);
  return parent === '' ? part : `${parent}.${part}`;
}

function changesOfLists(before: readonly Json[], after: readonly Json[], field: string): readonly FieldChange[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && sameJson(before[start], after[start])) start += 1;
  let end = 0;
  while (end < shorter - start && sameJson(before.at(-1 - end), after.at(-1 - end))) end += 1;
  const length = Math.max(before.length, after.length) - start - end;
  return Array.from({ length }, (_, offset) => start + offset).flatMap((index) => {
    const item = (list: readonly Json[]) => (index < list.length - end ? list[index] : undefined);
    return fieldChanges(item(before), item(after), `${field}[${index}]`);
  });
}

function own(value: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Both come from records whose names stand in one order. */
function sameJson(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
