import type { HeaderFormat } from '../terminator/format.ts';
import { type HeaderFormatName, headerFormats } from '../terminator/formats.ts';
import type { ChainVerification } from '../terminator/terminator.ts';
import { forgeryEncoders } from './encode-forgery.ts';
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
  /** All of them positive. */
  readonly verdict: readonly Field[];
  readonly all: readonly Field[];
}

/** The victim's certificate in the fields that the server reads. */
export function forgedFields(configured: ConfiguredFields, victim: Uint8Array): ForgedFields {
  const { terminator, certificate_header, chain_header, verification } = configured;
  const encoder = forgeryEncoders[terminator];
  const certificate: Field = [capitalized(certificate_header), encoder.certificate(victim)];
  const chain: Field[] =
    chain_header === null ? [] : [[capitalized(chain_header), (encoder.chain ?? encoder.certificate)(victim)]];
  const verdict = 'fields' in verification ? verification.fields.map(positiveField) : [];
  return { certificate, chain, verdict, all: [certificate, ...chain, ...verdict] };
}

function positiveField({ header, positive }: { readonly header: string; readonly positive: string }): Field {
  return [capitalized(header), positive];
}

/** `x-ssl-client-cert` as people write it: `X-Ssl-Client-Cert`. */
export function capitalized(header: string): string {
  return header.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** The same in the fields of another format, in their own names. */
export function fieldsOfFormat(name: HeaderFormatName, victim: Uint8Array): Field[] {
  const { certificateHeader, chain, verdict }: HeaderFormat = headerFormats[name];
  const encoder = forgeryEncoders[name];
  return [
    [capitalized(certificateHeader), encoder.certificate(victim)],
    ...(chain && encoder.chain ? [[capitalized(chain.header), encoder.chain(victim)] as const] : []),
    ...verdict.map(positiveField),
  ];
}
