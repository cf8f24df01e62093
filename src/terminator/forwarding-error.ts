/**
 * Why a request is rejected because of the way it was forwarded.
 *
 * - `malformed`: the certificate header or a verification header is not what the configured terminator writes
 * - `lost`: the terminator reports a verified certificate, but forwarded none
 * - `too_large`: the certificate exceeds the size limit
 * - `stripped`: `Connection` names one of the terminator's headers, so a proxy may have dropped it (RFC 9110 §7.6.1)
 * - `early_data`: the request was sent in TLS early data and may be a replay (RFC 8470 §5.1)
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
