import type { Fault } from './findings.ts';

/** Far deeper than anybody's claims; what reads a record further on may recurse over it. */
export const MAX_DEPTH = 64;

interface Place {
  readonly value: object;
  readonly name: string;
  readonly parent: Place | undefined;
  readonly depth: number;
}

/**
 * Why a value could not stand in Redis and come out again as it was: the depth of it, a number that JSON does not have,
 * or a name that JavaScript keeps for itself. It looks also where the schema of records takes anything. Without
 * recursion, so that also what refers to itself ends at the depth.
 */
export function unstorable(root: unknown): Fault | undefined {
  if (!isObject(root)) return undefined;
  const open: Place[] = [{ value: root, name: '', parent: undefined, depth: 1 }];
  for (let place = open.pop(); place; place = open.pop()) {
    if (place.depth > MAX_DEPTH) return { field: '(record)', message: 'is nested too deeply' };
    for (const [name, value] of Object.entries(place.value)) {
      const message = faultOf(name, value);
      if (message !== undefined) return { field: pathOf(place, name), message };
      if (isObject(value)) open.push({ value, name, parent: place, depth: place.depth + 1 });
    }
  }
  return undefined;
}

function faultOf(name: string, value: unknown): string | undefined {
  // What copies an object would lose the member without a word.
  if (name === '__proto__') return 'is a name that cannot be used; choose another one';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'is a number that JSON cannot hold';
  return undefined;
}

function pathOf({ name, value, parent }: Place, member: string): string {
  const own = Array.isArray(value) ? `[${member}]` : `.${member}`;
  return parent ? `${pathOf(parent, name)}${own}` : own.replace(/^\./, '');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
