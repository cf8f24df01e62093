import type { z } from 'zod';
import { closestMatch } from '../closest-match.ts';
import type { Diagnostic } from './diagnostics.ts';

/**
 * Explains why a value does not match the schema of a record to the author of the record.
 *
 * @param type of the record, such as `client`
 */
export function schemaDiagnostics(type: string, { shape }: z.ZodObject): (issue: z.core.$ZodIssue) => Diagnostic {
  const fields = Object.keys(shape);
  return (issue) => toDiagnostic(issue, type, fields);
}

function toDiagnostic(issue: z.core.$ZodIssue, type: string, fields: readonly string[]): Diagnostic {
  if (issue.code === 'unrecognized_keys') {
    const [field = '', ...others] = issue.keys;
    const hint = issue.path.length === 0 ? suggestionFor(field, fields) : '';
    const more = others.length > 0 ? `; also unknown: ${others.join(', ')}` : '';
    return { field: fieldPath([...issue.path, field]), message: `is not a field of ${type} records${hint}${more}` };
  }
  const message = issue.code === 'invalid_type' ? typeMessage(issue) : issue.message;
  return { field: fieldPath(issue.path), message };
}

/** Longer than any field. A record may contain names of any length, and the comparison takes time with each character. */
const MAX_COMPARED_CHARACTERS = 64;

function suggestionFor(field: string, fields: readonly string[]): string {
  const suggestion = field.length > MAX_COMPARED_CHARACTERS ? undefined : closestMatch(field, fields);
  return suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
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
