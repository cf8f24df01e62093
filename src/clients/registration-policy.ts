/** What the settings of the operator require of registrations. */
export interface RegistrationPolicy {
  /** `COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS` */
  readonly allowSha1Thumbprints: boolean;
  /** `COUNTERSIGN_REQUIRE_CA_PIN`: a client that is registered by a name must be pinned to a CA. */
  readonly requireCaPin: boolean;
  /** `COUNTERSIGN_UNIQUE_CERTIFICATES`: no two clients may be recognized by the same certificate. */
  readonly uniqueCertificates: boolean;
  /** `COUNTERSIGN_ALLOW_UNBOUND_EDGE_TOKENS`: a resource may have tokens that are bound to no certificate. */
  readonly allowUnboundEdgeTokens: boolean;
  /** The trust anchors of `COUNTERSIGN_CLIENT_CA_FILE`. */
  readonly anchors: readonly ConfiguredCa[];
  /** Its other CA certificates. */
  readonly intermediates: readonly ConfiguredCa[];
}

interface ConfiguredCa {
  readonly subjectText: string;
  readonly publicKeyThumbprint: string;
}

/** Where the settings of a server are unknown: a SHA-1 thumbprint is a warning, and there are no CAs to pin to. */
export const policyWithoutSettings: RegistrationPolicy = {
  allowSha1Thumbprints: true,
  requireCaPin: false,
  uniqueCertificates: false,
  allowUnboundEdgeTokens: false,
  anchors: [],
  intermediates: [],
};
