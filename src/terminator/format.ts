/**
 * The header format of one kind of terminator.
 *
 * To add a format, write `formats/<name>.ts`, which exports a `HeaderFormat`, and add one line to the table in
 * `formats.ts`. Everything else reads that table: the values of `COUNTERSIGN_TERMINATOR` and the settings that depend on
 * it, the decoder, the detection of foreign headers and encodings, and the doctor. The compiler and the tests then ask
 * for the rest: the format in `test/support/forwarded-as.ts`, and its row in `docs/terminators.md`.
 *
 * All header names are in lower case.
 */
export interface HeaderFormat {
  /** The header that contains the leaf certificate. */
  readonly certificateHeader: string;
  /** The header that contains the rest of the chain, where it has a header of its own. */
  readonly chain: ChainField | undefined;
  /** The fields in which the terminator reports that it verified the chain. All must report success. May be empty. */
  readonly verification: readonly VerificationField[];
  /** The values of the certificate header that mean "no certificate", in addition to an absent or empty header. */
  readonly absentValues: readonly string[];
  /** Whether the terminator can verify chains at all, so that the operator may declare that it does. */
  readonly canVerify: boolean;
  /**
   * Decodes the certificate header to the DER of exactly one leaf, and of the chain where it is in the same header.
   *
   * @throws {CertificateError} for any value that the terminator would not write
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

interface ForgedValue {
  /** Stable, machine-readable. */
  readonly name: string;
  /** Completes "a forged certificate …". */
  readonly title: string;
  /** Of the certificate's field. */
  readonly value: string;
}

export interface DecodedCertificates {
  readonly leaf: Uint8Array;
  /** The chain without the leaf, in the terminator's order. Used to build a path, never to identify a client. */
  readonly chain: readonly Uint8Array[];
}

interface ChainField {
  readonly header: string;
  /** Whether several field lines form one list (RFC 9651 §3.1). Otherwise the field may appear only once. */
  readonly maySpanLines: boolean;
  /** @throws {CertificateError} for any value that the terminator would not write */
  readonly decode: (value: string) => readonly Uint8Array[];
  /** One certificate as the terminator writes it there. */
  readonly encode: (der: Uint8Array) => string;
}

export interface VerificationField {
  readonly header: string;
  /** The only value that means success. */
  readonly successValue: string;
}
