import { ConfigurationError } from '../errors/operator-error.ts';
import { type RecordType, recordTypes } from '../resources/record-types.ts';
import { printable } from '../text.ts';

/**
 * Requires that the operands of a command can be ids of records. Only such an id becomes part of a Redis key.
 *
 * @throws {ConfigurationError} naming each that cannot
 */
export function requireIds(type: RecordType, ids: readonly string[]): void {
  const { isId, idField, idGrammar } = recordTypes[type];
  const invalid = [...new Set(ids)].filter((id) => !isId(id));
  const problems = invalid.map((id) => `"${printable(id)}" is not a valid ${idField}: expected ${idGrammar}`);
  if (problems.length > 0) throw new ConfigurationError(problems);
}
