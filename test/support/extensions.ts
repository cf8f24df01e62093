import 'reflect-metadata';
import { createHash } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
} from '@peculiar/x509';
import { childrenOf, contentOf, der, objectIdentifier, octetString, sequence } from './der.ts';

/** An arbitrary extension: `value` is the DER inside the OCTET STRING. */
export interface RawExtension {
  readonly oid: string;
  readonly critical?: boolean;
  readonly value: Uint8Array;
}

/** `none` omits the extension; a list contains OIDs. */
export type ExtendedKeyUsage = 'client' | 'server' | 'client+server' | 'any' | 'none' | readonly string[];

export type KeyUsage = keyof typeof KeyUsageFlags;

export interface SubjectAlternativeNames {
  readonly dns?: readonly string[];
  readonly uris?: readonly string[];
  readonly ips?: readonly string[];
  readonly emails?: readonly string[];
}

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

const extendedKeyUsages: Readonly<Record<string, readonly string[]>> = {
  client: [CLIENT_AUTH],
  server: [SERVER_AUTH],
  'client+server': [CLIENT_AUTH, SERVER_AUTH],
  any: ['2.5.29.37.0'],
  none: [],
};

/** A certificate authority, or an end entity. */
export function basicConstraints(ca: boolean, pathLength?: number): Uint8Array {
  return encoded(new BasicConstraintsExtension(ca, pathLength, true));
}

/** No extension if the list is empty. */
export function keyUsage(usages: readonly KeyUsage[]): Uint8Array[] {
  const flags = usages.reduce((bits, usage) => bits | KeyUsageFlags[usage], 0);
  return flags === 0 ? [] : [encoded(new KeyUsagesExtension(flags, true))];
}

export function extendedKeyUsage(usage: ExtendedKeyUsage): Uint8Array[] {
  const identifiers = typeof usage === 'string' ? (extendedKeyUsages[usage] ?? []) : usage;
  return identifiers.length > 0 ? [encoded(new ExtendedKeyUsageExtension([...identifiers]))] : [];
}

export function subjectAlternativeNames(names: SubjectAlternativeNames): Uint8Array[] {
  const list: JsonGeneralNames = [
    ...(names.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(names.uris ?? []).map((value) => ({ type: 'url' as const, value })),
    ...(names.ips ?? []).map((value) => ({ type: 'ip' as const, value })),
    ...(names.emails ?? []).map((value) => ({ type: 'email' as const, value })),
  ];
  return list.length > 0 ? [encoded(new SubjectAlternativeNameExtension(list))] : [];
}

/** Subject and authority key identifier (RFC 5280 §4.2.1.1, §4.2.1.2), which OpenSSL uses for path building. */
export function keyIdentifiers(subjectKey: Uint8Array, issuerKey: Uint8Array): Uint8Array[] {
  return [
    encoded(new SubjectKeyIdentifierExtension(keyIdentifier(subjectKey))),
    encoded(new AuthorityKeyIdentifierExtension(keyIdentifier(issuerKey))),
  ];
}

export function rawExtension({ oid, critical, value }: RawExtension): Uint8Array {
  const criticality = critical ? [der(0x01, Buffer.of(0xff))] : [];
  return sequence(objectIdentifier(oid), ...criticality, octetString(value));
}

/** Whether an `Extension` element has this object identifier. */
export function isExtension(extension: Uint8Array, oid: string): boolean {
  return Buffer.compare(childrenOf(extension)[0] ?? Buffer.of(), objectIdentifier(oid)) === 0;
}

function keyIdentifier(publicKeyInfo: Uint8Array): string {
  const bits = childrenOf(publicKeyInfo)[1] ?? Buffer.of();
  const withoutUnusedBitsByte = contentOf(bits).subarray(1);
  return createHash('sha1').update(withoutUnusedBitsByte).digest('hex');
}

function encoded(extension: Extension): Uint8Array {
  return Buffer.from(extension.rawData);
}
