import { ForwardingError } from './forwarding-error.ts';

/** The header fields as received: names and values alternate, repeated fields stay separate (Node's `rawHeaders`). */
export type RawHeaders = readonly string[];

/** The values of every field line with this name (given in lower case), in order. */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const candidate = headers[i];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) values.push(headers[i + 1] ?? '');
  }
  return values;
}

/**
 * The value of a field that may appear at most once (name given in lower case).
 *
 * @throws {ForwardingError} malformed, when it appears more than once
 */
export function singleValue(headers: RawHeaders, name: string): string | undefined {
  const [value, ...repeated] = valuesOf(headers, name);
  if (repeated.length > 0) throw new ForwardingError('malformed', `${name} appears ${repeated.length + 1} times`);
  return value;
}
