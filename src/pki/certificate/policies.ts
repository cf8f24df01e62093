import { CertificateError } from './certificate-error.ts';
import { type DerElement, Tag } from './der-element.ts';
import { ExtensionOid } from './extensions.ts';
import { parseObjectIdentifier } from './object-identifier.ts';
import { parseExtensionValue } from './structure.ts';

/** Stands for every policy (RFC 5280 §4.2.1.4). */
export const ANY_POLICY = '2.5.29.32.0';

/**
 * When the policy rules of a certificate take effect: after this many more certificates that are not self-issued.
 * Infinity if the certificate does not have the rule (RFC 5280 §4.2.1.11).
 */
export interface PolicyConstraints {
  readonly requireExplicitPolicy: number;
  readonly inhibitPolicyMapping: number;
}

/** Two policies that a CA considers equivalent (RFC 5280 §4.2.1.5). Neither is anyPolicy. */
export interface PolicyMapping {
  /** In the policies of the CA that issued the certificate. */
  readonly issuerPolicy: string;
  /** In the policies of the subject, and of what it issues. */
  readonly subjectPolicy: string;
}

type Extensions = ReadonlyMap<string, DerElement>;

const REQUIRE_EXPLICIT_POLICY = 0x80;
const INHIBIT_POLICY_MAPPING = 0x81;

const NO_CONSTRAINTS = {
  requireExplicitPolicy: Number.POSITIVE_INFINITY,
  inhibitPolicyMapping: Number.POSITIVE_INFINITY,
} as const satisfies PolicyConstraints;

/**
 * Parses policyConstraints, SEQUENCE { requireExplicitPolicy [0] OPTIONAL, inhibitPolicyMapping [1] OPTIONAL }.
 *
 * @throws {CertificateError} when they are malformed: then it is unknown what the certificate requires
 */
export function parsePolicyConstraints(extensions: Extensions): PolicyConstraints {
  const extension = extensions.get(ExtensionOid.policyConstraints);
  if (!extension) return NO_CONSTRAINTS;
  const parsed = { ...NO_CONSTRAINTS };
  return parseOrExplain('its policy constraints are malformed', '§4.2.1.11', () => {
    const { tag, children } = parseExtensionValue(extension);
    if (tag !== Tag.sequence) throw new CertificateError('not a SEQUENCE');
    if (children.length === 0) throw new CertificateError('neither requireExplicitPolicy nor inhibitPolicyMapping');
    let previousTag = 0;
    for (const { tag: field, content } of children) {
      if (field <= previousTag) throw new CertificateError('a repeated field, or fields in the wrong order');
      previousTag = field;
      if (field === REQUIRE_EXPLICIT_POLICY) parsed.requireExplicitPolicy = parseSkipCount(content);
      else if (field === INHIBIT_POLICY_MAPPING) parsed.inhibitPolicyMapping = parseSkipCount(content);
      else throw new CertificateError('an unknown field');
    }
    return parsed;
  });
}

/**
 * Parses the inhibitAnyPolicy of a CA certificate, an INTEGER: after how many more certificates that are not self-issued
 * anyPolicy has no meaning. Infinity without the extension (RFC 5280 §4.2.1.14).
 *
 * @throws {CertificateError} when it is malformed
 */
export function parseInhibitAnyPolicy(extensions: Extensions): number {
  const extension = extensions.get(ExtensionOid.inhibitAnyPolicy);
  if (!extension) return Number.POSITIVE_INFINITY;
  return parseOrExplain('its inhibitAnyPolicy is malformed', '§4.2.1.14', () => {
    const { tag, content } = parseExtensionValue(extension);
    if (tag !== Tag.integer) throw new CertificateError('not an INTEGER');
    return parseSkipCount(content);
  });
}

/** SkipCerts ::= INTEGER (0..MAX). A count longer than any path has no effect, so the precision does not matter. */
function parseSkipCount(content: Uint8Array): number {
  const [first, second] = content;
  if (first === undefined) throw new CertificateError('a count without a value');
  if (first >= 0x80) throw new CertificateError('a negative count');
  if (first === 0 && second !== undefined && second < 0x80) {
    throw new CertificateError('a count that is not minimally encoded');
  }
  return content.reduce((value, byte) => value * 256 + byte, 0);
}

/**
 * Parses certificatePolicies, SEQUENCE OF { policyIdentifier, policyQualifiers OPTIONAL }. Qualifiers are for display, and
 * ignored.
 *
 * @throws {CertificateError} when it is malformed
 */
export function parseCertificatePolicies(extension: DerElement): ReadonlySet<string> {
  return parseOrExplain('its certificate policies are malformed', '§4.2.1.4', () => {
    const policies = new Set<string>();
    for (const { tag, children } of nonEmptySequence(extension, 'policy')) {
      const [identifier, qualifiers, ...more] = children;
      const isPolicy = tag === Tag.sequence && identifier?.tag === Tag.objectIdentifier && more.length === 0;
      if (!isPolicy || (qualifiers && qualifiers.tag !== Tag.sequence)) {
        throw new CertificateError('a policy that is not an object identifier with optional qualifiers');
      }
      const policy = parseObjectIdentifier(identifier);
      if (policies.has(policy)) throw new CertificateError(`policy ${policy} appears twice`);
      policies.add(policy);
    }
    return policies;
  });
}

/**
 * Parses the policyMappings of a CA certificate, SEQUENCE OF { issuerDomainPolicy, subjectDomainPolicy }.
 *
 * @throws {CertificateError} when they are malformed, or map anyPolicy
 */
export function parsePolicyMappings(extensions: Extensions): readonly PolicyMapping[] {
  const extension = extensions.get(ExtensionOid.policyMappings);
  if (!extension) return [];
  const mappings = parseOrExplain('its policy mappings are malformed', '§4.2.1.5', () =>
    nonEmptySequence(extension, 'mapping').map(parseMapping),
  );
  if (mappings.some(({ issuerPolicy, subjectPolicy }) => [issuerPolicy, subjectPolicy].includes(ANY_POLICY))) {
    throw new CertificateError('maps a policy to or from anyPolicy (RFC 5280 §6.1.4 (a))');
  }
  return mappings;
}

function parseMapping({ tag, children: [issuer, subject, ...more] }: DerElement): PolicyMapping {
  const isPair = issuer?.tag === Tag.objectIdentifier && subject?.tag === Tag.objectIdentifier && more.length === 0;
  if (tag !== Tag.sequence || !isPair) throw new CertificateError('a mapping that is not a pair of object identifiers');
  return { issuerPolicy: parseObjectIdentifier(issuer), subjectPolicy: parseObjectIdentifier(subject) };
}

function nonEmptySequence(extension: DerElement, item: string): readonly DerElement[] {
  const { tag, children } = parseExtensionValue(extension);
  if (tag === Tag.sequence && children.length > 0) return children;
  throw new CertificateError(`not a SEQUENCE of at least one ${item}`);
}

/** Adds to the problem of an extension which one it is, and the section of RFC 5280 that defines it. */
function parseOrExplain<Value>(what: string, section: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw new CertificateError(`${what}: ${error.message} (RFC 5280 ${section})`, { cause: error });
  }
}
