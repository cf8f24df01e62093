import type { ReasonCode } from '../reasons/reasons.ts';

/** Why a request is rejected because of the way it was forwarded. */
export type ForwardingErrorCode = Extract<
  ReasonCode,
  'forwarded_header_repeated' | 'certificate_lost' | 'certificate_too_large' | 'header_stripped' | 'early_data'
>;

export class ForwardingError extends Error {
  override readonly name = 'ForwardingError';
  readonly code: ForwardingErrorCode;

  constructor(code: ForwardingErrorCode, reason: string) {
    super(reason);
    this.code = code;
  }
}
