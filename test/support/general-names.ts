import { der, objectIdentifier, octetString, sequence } from './der.ts';
import { encodeName, type NameParts } from './distinguished-name.ts';
import type { RawExtension } from './extensions.ts';

/** The DER of one GeneralName (RFC 5280 §4.2.1.6). */
export type GeneralName = Uint8Array;

const ia5 = (tag: number) => (text: string) => der(tag, Buffer.from(text, 'latin1'));

/** Encoders for each form. An `ip` is an address or, as the base of a subtree, a block such as `10.0.0.0/8`. */
export const generalName = {
  email: ia5(0x81),
  dns: ia5(0x82),
  uri: ia5(0x86),
  ip: (text: string) => der(0x87, addressBytes(text)),
  directory: (name: NameParts) => der(0xa4, encodeName(name)),
  other: (type: string, value: Uint8Array) => der(0xa0, objectIdentifier(type), der(0xa0, value)),
  registeredId: (identifier: string) => der(0x88, objectIdentifier(identifier).subarray(2)),
  /** RFC 9598 §3. */
  utf8Mailbox: (address: string) => generalName.other('1.3.6.1.5.5.7.8.9', der(0x0c, Buffer.from(address))),
} as const;

export function alternativeNames(...names: readonly GeneralName[]): RawExtension {
  return { oid: '2.5.29.17', value: sequence(...names) };
}

export interface Subtrees {
  readonly permitted?: readonly GeneralName[];
  readonly excluded?: readonly GeneralName[];
}

/** Name constraints with each base as a subtree without bounds (RFC 5280 §4.2.1.10). */
export function nameConstraints({ permitted, excluded }: Subtrees): RawExtension {
  const list = (tag: number, names: readonly GeneralName[] = []) =>
    names.length > 0 ? [der(tag, ...names.map((name) => sequence(name)))] : [];
  return rawNameConstraints(...list(0xa0, permitted), ...list(0xa1, excluded));
}

export function rawNameConstraints(...lists: readonly Uint8Array[]): RawExtension {
  return { oid: '2.5.29.30', critical: true, value: sequence(...lists) };
}

function addressBytes(text: string): Uint8Array {
  const [address = '', prefix] = text.split('/');
  const bytes = address.includes(':') ? ipv6Bytes(address) : Uint8Array.from(address.split('.'), Number);
  return prefix === undefined ? bytes : Buffer.concat([bytes, mask(bytes.length, Number(prefix))]);
}

function ipv6Bytes(text: string): Uint8Array {
  const [head = '', tail = ''] = text.split('::').map((part) => part.split(':').filter(Boolean));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function mask(length: number, prefixLength: number): Uint8Array {
  const bits = '1'.repeat(prefixLength).padEnd(length * 8, '0');
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

/** An otherName of an unknown type. */
export const unknownOtherName = generalName.other('1.3.6.1.4.1.99999.8', octetString(Buffer.of(1)));
