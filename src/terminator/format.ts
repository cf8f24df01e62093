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
  /** The inverse of `decode` for a leaf alone: `countersign doctor` sends it as a client that imitates the terminator. */
  readonly encode: (der: Uint8Array) => string;
  /** Forged values that only the grammar of this format allows, for `countersign doctor`. */
  readonly forgedValues?: (forged: Uint8Array, own: Uint8Array) => readonly ForgedValue[];
  /** How an operator fixes this terminator's configuration. */
  readonly hints: ConfigurationHints;
}

/**
 * The directives of the terminator that fix a problem, each as `<terminator>: <directives>`. Undefined where there is
 * nothing to add to the general advice.
 */
export interface ConfigurationHints {
  /** Forward the certificate of the handshake. */
  readonly forwardCertificate?: string;
  /** Overwrite the header fields that a client sends itself. */
  readonly overwriteHeaders?: string;
  /** Request a certificate in the handshake. */
  readonly requestCertificate?: string;
  /** Configure the CAs that issue client certificates. */
  readonly clientCa?: string;
  /** Reject a certificate whose chain is not verified. */
  readonly rejectUnverified?: string;
  /** Forward the result of the verification unchanged. */
  readonly forwardVerification?: string;
  /** Resume no TLS session. */
  readonly disableResumption?: string;
}

export interface ForgedValue {
  /** Stable, machine-readable. */
  readonly name: string;
  /** Completes "a forged certificate …". */
  readonly title: string;
  /** Of the certificate's field. */
  readonly value: string;
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
  /** One certificate as the terminator writes it there. */
  readonly encode: (der: Uint8Array) => string;
}

export interface VerificationField {
  readonly header: string;
  /** The one value that says yes. */
  readonly successValue: string;
}
