/** A problem of a client record. */
export interface Diagnostic {
  /** Path of the field, such as `certificates[0].thumbprint`. */
  readonly field: string;
  /** What is wrong and what was expected. */
  readonly message: string;
}

/** `field: message` */
export function formatDiagnostic({ field, message }: Diagnostic): string {
  return `${field}: ${message}`;
}

/** Collects all problems of a record, so that they are reported at once. */
export interface Diagnostics {
  readonly errors: Diagnostic[];
  readonly warnings: Diagnostic[];
}
