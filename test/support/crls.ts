import type { MintedCertificate } from './certificates.ts';
import {
  bitString,
  childrenOf,
  contentOf,
  der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  time,
} from './der.ts';
import { encodeName, type RelativeName } from './distinguished-name.ts';
import { type RawExtension, rawExtension } from './extensions.ts';
import type { GeneralName } from './general-names.ts';
import { type SignatureHash, signatureAlgorithm, signatureOver } from './keys.ts';

/** By default, a v2 CRL from an hour ago that is valid for a day and revokes nothing. */
export interface CrlOptions {
  readonly revoked?: readonly MintedCertificate[];
  /** Further entries, in DER. */
  readonly entries?: readonly Uint8Array[];
  readonly thisUpdate?: Date;
  /** `none` omits it. */
  readonly nextUpdate?: Date | 'none';
  readonly extensions?: readonly RawExtension[];
  /** X.509 CRL v1 has neither a version nor extensions. */
  readonly version?: 1 | 2;
  readonly signatureHash?: SignatureHash;
  /** The DER of the version INTEGER, or of a thisUpdate, instead of what is usual. */
  readonly rawVersion?: Uint8Array;
  readonly rawThisUpdate?: Uint8Array;
  readonly rawNextUpdate?: Uint8Array;
  /** Writes revokedCertificates even if it is empty. */
  readonly writeEmptyList?: boolean;
}

const HOUR = 3_600_000;

/** The DER of a CRL signed by this CA. */
export function createCrl(ca: MintedCertificate, options: CrlOptions = {}): Buffer {
  const { revoked = [], entries = [], extensions = [], version = 2, signatureHash = 'SHA-256' } = options;
  const { thisUpdate = new Date(Date.now() - HOUR), nextUpdate = new Date(Date.now() + 24 * HOUR) } = options;
  const key = ca.keys.privateKey;
  const algorithm = signatureAlgorithm(key, signatureHash);
  const all = [...revoked.map((certificate) => entry(serialOf(certificate))), ...entries];
  const tbs = sequence(
    ...(options.rawVersion ? [options.rawVersion] : version === 2 ? [integer(1n)] : []),
    algorithm,
    ca.subject,
    options.rawThisUpdate ?? time(thisUpdate),
    ...(nextUpdate === 'none' ? [] : [options.rawNextUpdate ?? time(nextUpdate)]),
    ...(all.length > 0 || options.writeEmptyList ? [sequence(...all)] : []),
    ...(extensions.length > 0 ? [der(0xa0, sequence(...extensions.map(rawExtension)))] : []),
  );
  return sequence(tbs, algorithm, bitString(signatureOver(tbs, key, signatureHash)));
}

/** An entry for the INTEGER element of a serial number, with extensions. */
export function entry(serialNumber: Uint8Array, extensions: readonly RawExtension[] = []): Buffer {
  const more = extensions.length > 0 ? [sequence(...extensions.map(rawExtension))] : [];
  return sequence(serialNumber, time(new Date(Date.now() - HOUR)), ...more);
}

/** The INTEGER element of a certificate's serial number. */
export function serialOf({ der: certificate }: MintedCertificate): Uint8Array {
  const [tbs] = childrenOf(certificate);
  return childrenOf(tbs ?? Buffer.of())[1] ?? Buffer.of();
}

export const reasonCode = (reason: number): RawExtension => ({ oid: '2.5.29.21', value: der(0x0a, Buffer.of(reason)) });
export const deltaIndicator: RawExtension = { oid: '2.5.29.27', critical: true, value: integer(1n) };
/** An issuing distribution point with these elements. */
export const distributionPoint = (...elements: readonly Uint8Array[]): RawExtension => ({
  oid: '2.5.29.28',
  critical: true,
  value: sequence(...elements),
});
export const indirect = der(0x84, Buffer.of(0xff));
export const onlyClients = der(0x81, Buffer.of(0xff));
export const onlyCas = der(0x82, Buffer.of(0xff));
export const onlyAttributes = der(0x85, Buffer.of(0xff));
/** A BOOLEAN whose default is written out. */
export const writtenFalse = (tag: number) => der(tag, Buffer.of(0));

/** The distributionPoint of a CRL or of a certificate with these full names, [0] EXPLICIT. */
export const fullName = (...names: readonly GeneralName[]) => der(0xa0, der(0xa0, ...names));
/** The distributionPoint with a name relative to the CRL issuer. */
export function relativeToIssuer(name: RelativeName): Buffer {
  const [rdn = Buffer.of()] = childrenOf(encodeName([name]));
  return der(0xa0, der(0xa1, contentOf(rdn)));
}

/** ReasonFlags with these bits: [3] in a CRL, [1] in a certificate. */
function reasonFlags(tag: number, bits: readonly number[]): Buffer {
  const flags = bits.reduce((value, bit) => value | (0x8000 >> bit), 0);
  return der(tag, Buffer.of(7, flags >> 8, flags & 0xff));
}
export const onlyReasons = (...bits: readonly number[]) => reasonFlags(0x83, bits);
export const pointReasons = (...bits: readonly number[]) => reasonFlags(0x81, bits);
export const crlIssuer = (...names: readonly GeneralName[]) => der(0xa2, ...names);

/** The CRL distribution points of a certificate, each with the fields of one. */
export const crlDistributionPoints = (...points: readonly (readonly Uint8Array[])[]): RawExtension => ({
  oid: '2.5.29.31',
  value: sequence(...points.map((fields) => sequence(...fields))),
});

export const crlNumber = (number: bigint): RawExtension => ({ oid: '2.5.29.20', value: integer(number) });
export const unknownCritical: RawExtension = {
  oid: '1.3.6.1.4.1.99999.3',
  critical: true,
  value: octetString(Buffer.of()),
};
export const certificateIssuer: RawExtension = {
  oid: '2.5.29.29',
  critical: true,
  value: sequence(objectIdentifier('1.2.3')),
};
