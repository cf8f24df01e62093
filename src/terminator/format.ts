/** What one kind of terminator forwards. One file for each in formats/, and one line in header-formats.ts. */
export interface HeaderFormat {
  /** The field that carries the leaf certificate, in lower case. */
  readonly certificateHeader: string;
  /** The field for the certificates that the client sent beside it, where they have one of their own. */
  readonly chain: ChainField | undefined;
  /** What the terminator says about the chain. All of them must agree; without any, the format has no verdict. */
  readonly verification: readonly VerificationField[];
  /** What stands in the certificate's field when there was none; an absent or empty field always means that. */
  readonly absentValues: readonly string[];
  /** Whether the terminator can be told to admit none but verified chains, so that an operator may declare it. */
  readonly canVerify: boolean;
  /**
   * Decodes the certificate's field to the bytes of exactly one leaf, and of what stands beside it there.
   *
   * @throws {CertificateError} on anything that the terminator would not write
   */
  readonly decode: (value: string) => DecodedCertificates;
}

export interface DecodedCertificates {
  readonly leaf: Uint8Array;
  /** Without the leaf, in the terminator's order. They help to find a path; none of them ever identifies. */
  readonly chain: readonly Uint8Array[];
}

export interface ChainField {
  readonly header: string;
  /** Whether several field lines are one list (RFC 9651 §3.1), or two statements. */
  readonly maySpanLines: boolean;
  /** @throws {CertificateError} */
  readonly decode: (value: string) => readonly Uint8Array[];
}

export interface VerificationField {
  readonly header: string;
  /** The one value that says yes. */
  readonly successValue: string;
}
