/** The names of what the registry keeps in Redis; docs/configuration.md lists each with its value and lifetime. */
export interface RegistryKeys {
  /** A record, JSON, at this and the `client_id`. */
  readonly clients: string;
  /** A set of `client_id`s, at this and the text of an identity. */
  readonly identities: string;
  /** Is there once records have been written by us; its absence then means that Redis has lost them. */
  readonly marker: string;
  /** Whose turn it is to apply. */
  readonly apply: string;
  /** The channel on which a writer says which key it changed. */
  readonly changes: string;
}

/** @param prefix what all our keys begin with, e.g. `countersign:` */
export function registryKeys(prefix: string): RegistryKeys {
  return {
    clients: `${prefix}client:`,
    identities: `${prefix}identity:`,
    marker: `${prefix}registry`,
    apply: `${prefix}apply`,
    changes: `${prefix}changes`,
  };
}
