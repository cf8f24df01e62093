/** What is wrong with a record: the field as a path (`certificates[0].thumbprint`), and what was expected there. */
export interface Diagnostic {
  readonly field: string;
  readonly message: string;
}

export interface RegistrationPolicy {
  /** `COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS` */
  readonly allowSha1Thumbprints: boolean;
  /** `COUNTERSIGN_REQUIRE_CA_PIN`: a client that is known by a name must say which CA vouches for it. */
  readonly requireCaPin: boolean;
  /** Whoever could vouch for a name: the anchors of `COUNTERSIGN_CLIENT_CA_FILE`. */
  readonly anchors: readonly TrustedCa[];
}

export interface TrustedCa {
  readonly subjectText: string;
  readonly publicKeyThumbprint: string;
}

/** Collects what is wrong with a record, so that all of it can be told at once. */
export interface Diagnostics {
  readonly errors: Diagnostic[];
  readonly warnings: Diagnostic[];
}
