/** What is wrong with a record: the field as a path (`certificates[0].thumbprint`), and what was expected there. */
export interface Fault {
  readonly field: string;
  readonly message: string;
}

export interface RegistrationPolicy {
  /** `COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS` */
  readonly allowSha1Thumbprints: boolean;
}

/** Collects what is wrong with a record, so that all of it can be told at once. */
export interface Findings {
  readonly faults: Fault[];
  readonly warnings: Fault[];
}
