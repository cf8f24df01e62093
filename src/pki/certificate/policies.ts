import { CertificateError } from './certificate-error.ts';
import { parseDer } from './der.ts';
import { type DerElement, Tag } from './der-element.ts';
import { parseObjectIdentifier } from './der-values.ts';
import { ExtensionOid } from './extensions.ts';
import { isCritical, parseExtensionValue } from './structure.ts';

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

/**
 * The extension certificatePolicies, which is parsed in path validation, and only if the path requires a policy or the
 * extension is critical: most certificates have this extension, and few paths require a policy.
 */
export interface CertificatePolicies {
  /** See {@link parseCertificatePolicies}. */
  readonly der: Uint8Array;
  readonly isCritical: boolean;
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

/**
 * Parses policyConstraints, SEQUENCE { requireExplicitPolicy [0] OPTIONAL, inhibitPolicyMapping [1] OPTIONAL }.
 *
 * @throws {CertificateError} when they are malformed: then it is unknown what the certificate requires
 */
export function parsePolicyConstraints(extensions: Extensions): PolicyConstraints {
  const malformed = (problem: string) => malformedExtension('its policy constraints are', problem, '§4.2.1.11');
  const parsed = { requireExplicitPolicy: Number.POSITIVE_INFINITY, inhibitPolicyMapping: Number.POSITIVE_INFINITY };
  const extension = extensions.get(ExtensionOid.policyConstraints);
  if (!extension) return parsed;
  const { tag, children } = parseExtensionValue(extension);
  if (tag !== Tag.sequence) throw malformed('not a SEQUENCE');
  if (children.length === 0) throw malformed('neither requireExplicitPolicy nor inhibitPolicyMapping');
  let previousTag = 0;
  for (const { tag: field, content } of children) {
    if (field <= previousTag) throw malformed('a repeated field, or fields in the wrong order');
    previousTag = field;
    if (field === REQUIRE_EXPLICIT_POLICY) parsed.requireExplicitPolicy = parseSkipCount(content, malformed);
    else if (field === INHIBIT_POLICY_MAPPING) parsed.inhibitPolicyMapping = parseSkipCount(content, malformed);
    else throw malformed('an unknown field');
  }
  return parsed;
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
  const malformed = (problem: string) => malformedExtension('its inhibitAnyPolicy is', problem, '§4.2.1.14');
  const { tag, content } = parseExtensionValue(extension);
  if (tag !== Tag.integer) throw malformed('not an INTEGER');
  return parseSkipCount(content, malformed);
}

/** SkipCerts ::= INTEGER (0..MAX). A count longer than any path has no effect, so the precision does not matter. */
function parseSkipCount(content: Uint8Array, malformed: (problem: string) => CertificateError): number {
  const [first, second] = content;
  if (first === undefined) throw malformed('a count without a value');
  if (first >= 0x80) throw malformed('a negative count');
  if (first === 0 && second !== undefined && second < 0x80) throw malformed('a count that is not minimally encoded');
  return content.reduce((value, byte) => value * 256 + byte, 0);
}

export function certificatePoliciesOf(extensions: Extensions): CertificatePolicies | undefined {
  const extension = extensions.get(ExtensionOid.certificatePolicies);
  const der = extension?.children.at(-1)?.content;
  return extension && der && { der, isCritical: isCritical(extension) };
}

/**
 * Parses SEQUENCE OF { policyIdentifier, policyQualifiers OPTIONAL }. Qualifiers are for display, and ignored.
 *
 * @throws {CertificateError} when it is malformed
 */
export function parseCertificatePolicies({ der }: CertificatePolicies): ReadonlySet<string> {
  const malformed = (problem: string) => malformedExtension('its certificate policies are', problem, '§4.2.1.4');
  const { tag, children } = parseDer(der);
  if (tag !== Tag.sequence || children.length === 0) throw malformed('not a SEQUENCE of at least one policy');
  const policies = new Set<string>();
  for (const { tag: each, children: fields } of children) {
    const [identifier, qualifiers, ...more] = fields;
    const isPolicy = each === Tag.sequence && identifier?.tag === Tag.objectIdentifier && more.length === 0;
    if (!isPolicy || (qualifiers && qualifiers.tag !== Tag.sequence)) {
      throw malformed('a policy that is not an object identifier with optional qualifiers');
    }
    const policy = parseObjectIdentifier(identifier.content);
    if (policies.has(policy)) throw malformed(`policy ${policy} appears twice`);
    policies.add(policy);
  }
  return policies;
}

/**
 * Parses the policyMappings of a CA certificate, SEQUENCE OF { issuerDomainPolicy, subjectDomainPolicy }.
 *
 * @throws {CertificateError} when they are malformed, or map anyPolicy
 */
export function parsePolicyMappings(extensions: Extensions): readonly PolicyMapping[] {
  const extension = extensions.get(ExtensionOid.policyMappings);
  if (!extension) return [];
  const malformed = (problem: string) => malformedExtension('its policy mappings are', problem, '§4.2.1.5');
  const { tag, children } = parseExtensionValue(extension);
  if (tag !== Tag.sequence || children.length === 0) throw malformed('not a SEQUENCE of at least one mapping');
  return children.map(({ tag: each, children: policies }) => {
    const [issuer, subject, ...more] = policies;
    const isPair = issuer?.tag === Tag.objectIdentifier && subject?.tag === Tag.objectIdentifier && more.length === 0;
    if (each !== Tag.sequence || !isPair) throw malformed('a mapping that is not a pair of object identifiers');
    const issuerPolicy = parseObjectIdentifier(issuer.content);
    const subjectPolicy = parseObjectIdentifier(subject.content);
    if (issuerPolicy === ANY_POLICY || subjectPolicy === ANY_POLICY) {
      throw new CertificateError('maps a policy to or from anyPolicy (RFC 5280 §6.1.4 (a))');
    }
    return { issuerPolicy, subjectPolicy };
  });
}

function malformedExtension(subject: string, problem: string, section: string): CertificateError {
  return new CertificateError(`${subject} malformed: ${problem} (RFC 5280 ${section})`);
}
