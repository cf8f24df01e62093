import type { Diagnostic } from './diagnostics.ts';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export type JsonObject = { readonly [name: string]: Json };

/** Deeper than any real record. Code that reads a validated record may recurse. */
export const MAX_DEPTH = 64;

/**
 * Finds what a record could not preserve through Redis: too much nesting, a number that JSON cannot represent, or a
 * member name that JavaScript reserves. It covers the fields for which the record schema accepts any value. It does not
 * recurse, so that a cyclic value ends at the maximum depth as well.
 */
export function nonJsonValue(root: unknown): Diagnostic | undefined {
  if (!isObject(root)) return undefined;
  const pending: Node[] = [{ value: root, name: '', parent: undefined, depth: 1 }];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.depth > MAX_DEPTH) return { field: '(record)', message: 'is nested too deeply' };
    for (const [name, value] of Object.entries(node.value)) {
      const message = memberProblem(name, value);
      if (message !== undefined) return { field: pathOfMember(node, name), message };
      if (isObject(value)) pending.push({ value, name, parent: node, depth: node.depth + 1 });
    }
  }
  return undefined;
}

/** An object or array below the root, and the member of `parent` that holds it. */
interface Node {
  readonly value: object;
  readonly name: string;
  readonly parent: Node | undefined;
  readonly depth: number;
}

function memberProblem(name: string, value: unknown): string | undefined {
  // Code that copies an object would silently lose the member.
  if (name === '__proto__') return 'is a reserved name; choose another one';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'is a number that JSON cannot represent';
  return undefined;
}

function pathOfMember({ name, value, parent }: Node, member: string): string {
  const own = Array.isArray(value) ? `[${member}]` : `.${member}`;
  return parent ? `${pathOfMember(parent, name)}${own}` : own.replace(/^\./, '');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
