/** The fields of a request as they came: names and values in turn, repeated ones apart (Node's `rawHeaders`). */
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
 * The value of a field that may come once at most.
 *
 * @throws {ForwardingError} malformed, when it comes more often
 */
export function singleValue(headers: RawHeaders, name: string): string | undefined {
  const [value, ...repeated] = valuesOf(headers, name);
  if (repeated.length > 0) throw new ForwardingError('malformed', `${name} came ${repeated.length + 1} times`);
  return value;
}

/**
 * Why a request cannot be answered because of how it was forwarded.
 *
 * - `malformed`: the certificate header, or the verdict beside it, is not what the configured terminator writes
 * - `lost`: the terminator says that it verified a certificate, and forwarded none
 * - `too_large`: the certificate is larger than we read
 * - `stripped`: `Connection` names one of the terminator's headers, so a proxy may have dropped it (RFC 9110 §7.6.1)
 * - `early_data`: the request came in TLS early data and may be a replay (RFC 8470 §5.1)
 */
export type ForwardingErrorCode = 'malformed' | 'lost' | 'too_large' | 'stripped' | 'early_data';

export class ForwardingError extends Error {
  override readonly name = 'ForwardingError';
  readonly code: ForwardingErrorCode;

  constructor(code: ForwardingErrorCode, reason: string) {
    super(reason);
    this.code = code;
  }
}
