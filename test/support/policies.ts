import { der, integer, objectIdentifier, sequence } from './der.ts';
import type { RawExtension } from './extensions.ts';

export const anyPolicy = '2.5.29.32.0';

/** Policies below an arc that is not assigned, e.g. `policy(1)`. */
export const policy = (number: number) => `1.3.6.1.4.1.99999.3.${number}`;

/** The extension certificatePolicies, without qualifiers (RFC 5280 §4.2.1.4). */
export function certificatePolicies(...policies: readonly string[]): RawExtension {
  return { oid: '2.5.29.32', value: sequence(...policies.map((each) => sequence(objectIdentifier(each)))) };
}

/** The extension policyMappings: pairs of an issuerDomainPolicy and a subjectDomainPolicy (RFC 5280 §4.2.1.5). */
export function policyMappings(...pairs: readonly (readonly [issuer: string, subject: string])[]): RawExtension {
  return {
    oid: '2.5.29.33',
    critical: true,
    value: sequence(...pairs.map((pair) => sequence(...pair.map(objectIdentifier)))),
  };
}

/** The extension policyConstraints, with skip counts (RFC 5280 §4.2.1.11). */
export function policyConstraints(counts: { requireExplicit?: number; inhibitMapping?: number }): RawExtension {
  const field = (tag: number, count: number | undefined) =>
    count === undefined ? [] : [der(tag, integer(BigInt(count)).subarray(2))];
  const fields = [...field(0x80, counts.requireExplicit), ...field(0x81, counts.inhibitMapping)];
  return { oid: '2.5.29.36', critical: true, value: sequence(...fields) };
}

/** The extension inhibitAnyPolicy (RFC 5280 §4.2.1.14). */
export function inhibitAnyPolicy(count: number): RawExtension {
  return { oid: '2.5.29.54', critical: true, value: integer(BigInt(count)) };
}
