import type { HeaderFields } from '../http/header-fields.ts';
import { ForwardingError } from './forwarding-error.ts';

/**
 * The value of a field that may appear at most once (name given in lower case).
 *
 * @throws {ForwardingError} when it appears more than once
 */
export function singleValue(headers: HeaderFields, name: string): string | undefined {
  const values = headers.all(name);
  if (values.length > 1)
    throw new ForwardingError('forwarded_header_repeated', `${name} appears ${values.length} times`);
  return values[0];
}
