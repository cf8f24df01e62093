/** What one kind of terminator forwards. One file for each, and one line in header-formats.ts. */
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
