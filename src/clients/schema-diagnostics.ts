import { z } from 'zod';
import { closestMatch } from '../closest-match.ts';
import { type Diagnostic, unknownField, withSuggestion } from './diagnostics.ts';

/**
 * Explains why a value does not match the schema of a record to the author of the record.
 *
 * @returns the problems that an issue stands for
 */
export function schemaDiagnostics(
  schema: z.ZodObject,
): (value: unknown, issues: readonly z.core.$ZodIssue[]) => Diagnostic[] {
  return (value, issues) => issues.flatMap((issue) => toDiagnostics(issue, schema, value));
}

function toDiagnostics(issue: z.core.$ZodIssue, schema: z.ZodObject, value: unknown): Diagnostic[] {
  if (issue.code === 'unrecognized_keys') return unknownFields(issue, schema);
  const field = fieldPath(issue.path);
  // A field whose text has a format of its own states that, since quotes alone would not make a value of it.
  const isOwnMessage = !issue.message.startsWith('Invalid input');
  if (issue.code === 'invalid_type' && !isOwnMessage) return [{ field, message: typeMessage(issue) }];
  const expected = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  return [withSuggestion({ field, message: issue.message }, meantBy(valueAt(value, issue.path), expected))];
}

/** A record may have any number of unknown fields. */
const MAX_UNKNOWN_FIELDS = 20;

function unknownFields({ keys, path }: z.core.$ZodIssueUnrecognizedKeys, schema: z.ZodObject): Diagnostic[] {
  const fields = fieldsAt(schema, path);
  const first = keys.slice(0, MAX_UNKNOWN_FIELDS);
  const unknown = first.map((key) => unknownField(fieldPath([...path, key]), meantBy(key, fields)));
  const omitted = keys.length - first.length;
  if (omitted === 0) return unknown;
  return [...unknown, { field: fieldPath(path), message: `has ${omitted} more unknown fields` }];
}

/** The names of the fields of the object at a path. */
function fieldsAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return fieldsAt(schema.def.innerType, path);
  const [key, ...rest] = path;
  if (schema instanceof z.ZodArray) return fieldsAt(schema.def.element, rest);
  if (!(schema instanceof z.ZodObject)) return [];
  const { shape } = schema;
  if (key === undefined) return Object.keys(shape);
  const member = shape[String(key)];
  return member ? fieldsAt(member, rest) : [];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((parent, key) => {
    if (typeof parent !== 'object' || parent === null) return undefined;
    return Object.entries(parent).find(([name]) => name === String(key))?.[1];
  }, value);
}

/** Longer than any name. A record may contain names of any length, and the comparison takes time with each character. */
const MAX_COMPARED_CHARACTERS = 64;

function meantBy(written: unknown, names: readonly string[]): string | undefined {
  if (typeof written !== 'string' || written.length > MAX_COMPARED_CHARACTERS) return undefined;
  return closestMatch(written, names);
}

/** Authors of YAML often do not expect the types of `no`, `yes`, `1e5` or `1234`, so the message contains the fix. */
function typeMessage({ expected, message }: z.core.$ZodIssueInvalidType): string {
  const received = /received (\w+)/.exec(message)?.[1] ?? 'different type';
  if (received === 'undefined') return 'is missing';
  if (expected === 'boolean') return `must be true or false, not ${withArticle(received)}`;
  if (expected === 'string' && received !== 'array' && received !== 'object')
    return `must be a string, not ${withArticle(received)}; put it in quotes`;
  return `must be ${withArticle(expected)}, not ${withArticle(received)}`;
}

function withArticle(type: string): string {
  return yamlTypes[type] ?? `a ${type}`;
}

/** The names of types in YAML. */
const yamlTypes: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a map',
  record: 'a map',
  int: 'an integer',
};

function fieldPath(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>(
    (parent, key) => (typeof key === 'number' ? `${parent}[${key}]` : `${parent}.${String(key)}`),
    '',
  );
  return text.replace(/^\./, '') || '(record)';
}
