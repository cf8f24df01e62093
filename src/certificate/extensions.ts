/** The extensions that we read (RFC 5280 §4.2.1), by name. */
export const Extension = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAlternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
} as const;

/**
 * Those that may be critical, because everything that they can demand is done. Of the policies only a demand makes a
 * difference (see demandsPolicy). Key identifiers are hints, and RFC 5280 §4.2.1.1 and §4.2.1.2 forbid to mark them.
 */
export const processedExtensions: ReadonlySet<string> = new Set([
  Extension.keyUsage,
  Extension.subjectAlternativeName,
  Extension.basicConstraints,
  Extension.nameConstraints,
  Extension.certificatePolicies,
  Extension.policyMappings,
  Extension.policyConstraints,
  Extension.extendedKeyUsage,
  Extension.inhibitAnyPolicy,
]);
