import type { HeaderFormat, VerificationField } from '../../../terminator/format.ts';
import { type HeaderFormatName, headerFormats } from '../../../terminator/formats.ts';
import type { ChainVerification } from '../../../terminator/terminator.ts';
import type { Field } from './forgery.ts';

/** The fields that the server reads, which the operator may have renamed. */
export interface ConfiguredFields {
  readonly terminator: HeaderFormatName;
  readonly certificate_header: string;
  readonly chain_header: string | null;
  readonly verification: ChainVerification;
}

/** What the terminator would send with a verified certificate. */
export interface ForgedFields {
  readonly certificate: Field;
  readonly chain: readonly Field[];
  /** Each reports success. */
  readonly verification: readonly Field[];
  readonly all: readonly Field[];
}

/**
 * Writes a certificate to the fields that the server reads.
 *
 * @param der the forged certificate
 */
export function forgedFields(configured: ConfiguredFields, der: Uint8Array): ForgedFields {
  const format: HeaderFormat = headerFormats[configured.terminator];
  const { certificate_header, chain_header } = configured;
  const certificate: Field = [capitalize(certificate_header), format.encode(der)];
  const chain: Field[] =
    chain_header === null ? [] : [[capitalize(chain_header), (format.chain ?? format).encode(der)]];
  const verification = configured.verification.fields.map(successField);
  return { certificate, chain, verification, all: [certificate, ...chain, ...verification] };
}

/** Writes a certificate to the fields of a format, under their default names. */
export function fieldsOfFormat(name: HeaderFormatName, der: Uint8Array): Field[] {
  const { certificateHeader, encode, chain, verification }: HeaderFormat = headerFormats[name];
  return [
    [capitalize(certificateHeader), encode(der)],
    ...(chain ? [[capitalize(chain.header), chain.encode(der)] as const] : []),
    ...verification.map(successField),
  ];
}

function successField({ header, successValue }: VerificationField): Field {
  return [capitalize(header), successValue];
}

/** `x-ssl-client-cert` becomes `X-Ssl-Client-Cert`. */
export function capitalize(header: string): string {
  return header.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}
