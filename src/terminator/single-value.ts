import type { HeaderFields } from '../http/header-fields.ts';
import { ForwardingError } from './forwarding-error.ts';

/**
 * The value of a field that may appear at most once (name given in lower case).
 *
 * @throws {ForwardingError} malformed, when it appears more than once
 */
export function singleValue(headers: HeaderFields, name: string): string | undefined {
  const [value, ...repeated] = headers.all(name);
  if (repeated.length > 0) throw new ForwardingError('malformed', `${name} appears ${repeated.length + 1} times`);
  return value;
}
