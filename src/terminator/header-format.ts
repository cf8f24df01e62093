import { nginx } from './nginx.ts';
import { rfc9440 } from './rfc9440.ts';

/** What one kind of terminator forwards. One file for each, and one line in the table below. */
export interface HeaderFormat {
  /** The field that carries the leaf certificate, in lower case. */
  readonly certificateHeader: string;
  /** The field that carries the terminator's verdict over the chain, or undefined where the format has none. */
  readonly verdictHeader: string | undefined;
  /**
   * Decodes the field's value to the bytes of exactly one certificate.
   *
   * @throws {CertificateError} on anything that the terminator would not write
   */
  readonly decode: (value: string) => Uint8Array;
}

/** Every format that `COUNTERSIGN_TERMINATOR` may name. */
export const headerFormats = { nginx, rfc9440 } as const satisfies Record<string, HeaderFormat>;

export type HeaderFormatName = keyof typeof headerFormats;
