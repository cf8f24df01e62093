import type { HeaderFormat } from '../../../terminator/format.ts';
import { type HeaderFormatName, headerFormats } from '../../../terminator/formats.ts';
import type { ChainVerification } from '../../../terminator/terminator.ts';
import type { Field } from './forgery.ts';

/** The fields that the server reads; operators rename them. */
export interface ConfiguredFields {
  readonly terminator: HeaderFormatName;
  readonly certificate_header: string;
  readonly chain_header: string | null;
  readonly verification: ChainVerification;
}

/** DER: the certificate that nobody holds the key of, and the one that is shown in the handshake. */
export interface ForgedCertificates {
  readonly victim: Uint8Array;
  readonly own: Uint8Array;
}

/** What the proxy would send over a verified certificate. */
export interface ForgedFields {
  readonly certificate: Field;
  readonly chain: readonly Field[];
  /** All of them successValue. */
  readonly verdict: readonly Field[];
  readonly all: readonly Field[];
}

/** The victim's certificate in the fields that the server reads. */
export function forgedFields(configured: ConfiguredFields, victim: Uint8Array): ForgedFields {
  const { terminator, certificate_header, chain_header, verification } = configured;
  const format: HeaderFormat = headerFormats[terminator];
  const certificate: Field = [capitalized(certificate_header), format.encode(victim)];
  const chain: Field[] =
    chain_header === null ? [] : [[capitalized(chain_header), (format.chain ?? format).encode(victim)]];
  const verdict = 'fields' in verification ? verification.fields.map(positiveField) : [];
  return { certificate, chain, verdict, all: [certificate, ...chain, ...verdict] };
}

function positiveField({ header, successValue }: { readonly header: string; readonly successValue: string }): Field {
  return [capitalized(header), successValue];
}

/** `x-ssl-client-cert` as people write it: `X-Ssl-Client-Cert`. */
export function capitalized(header: string): string {
  return header.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** The same in the fields of another format, in their own names. */
export function fieldsOfFormat(name: HeaderFormatName, victim: Uint8Array): Field[] {
  const { certificateHeader, encode, chain, verification }: HeaderFormat = headerFormats[name];
  return [
    [capitalized(certificateHeader), encode(victim)],
    ...(chain ? [[capitalized(chain.header), chain.encode(victim)] as const] : []),
    ...verification.map(positiveField),
  ];
}
