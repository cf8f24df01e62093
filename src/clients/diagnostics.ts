/** A problem of a client record. */
export interface Diagnostic {
  /** Path of the field, such as `certificates[0].thumbprint`. */
  readonly field: string;
  /** What is wrong and what was expected. */
  readonly message: string;
  /** What was probably meant, which the message contains as well. */
  readonly suggestion?: string;
}

const UNKNOWN_FIELD = 'unknown field ';

/** The problem of a field that does not exist. @param suggestion the field that was probably meant */
export function unknownField(field: string, suggestion: string | undefined): Diagnostic {
  return withSuggestion({ field, message: `${UNKNOWN_FIELD}"${field}"` }, suggestion);
}

/** Adds what was probably meant, if there is such a name. */
export function withSuggestion(diagnostic: Diagnostic, suggestion: string | undefined): Diagnostic {
  if (suggestion === undefined) return diagnostic;
  const message = `${diagnostic.message} (did you mean "${suggestion}"?)`;
  return { ...diagnostic, message, suggestion };
}

/** `scope: is missing`; the name of an unknown field is in its message. */
export function formatDiagnostic({ field, message }: Diagnostic): string {
  return message.startsWith(UNKNOWN_FIELD) ? message : `${field}: ${message}`;
}

/** Collects all problems of a record, so that they are reported at once. */
export interface Diagnostics {
  readonly errors: Diagnostic[];
  readonly warnings: Diagnostic[];
}
