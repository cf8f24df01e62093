import { createHash } from 'node:crypto';
import { encodePem } from '../../../pki/certificate/pem.ts';
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
  const encoder = forgeryEncoders[terminator];
  const certificate: Field = [capitalized(certificate_header), encoder.certificate(victim)];
  const chain: Field[] =
    chain_header === null ? [] : [[capitalized(chain_header), (encoder.chain ?? encoder.certificate)(victim)]];
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
  const { certificateHeader, chain, verification }: HeaderFormat = headerFormats[name];
  const encoder = forgeryEncoders[name];
  return [
    [capitalized(certificateHeader), encoder.certificate(victim)],
    ...(chain && encoder.chain ? [[capitalized(chain.header), encoder.chain(victim)] as const] : []),
    ...verification.map(positiveField),
  ];
}

/** How a terminator would write a certificate: what a client must send to pass for it. */
export interface ForgeryEncoder {
  readonly certificate: (der: Uint8Array) => string;
  /** One certificate in the field for the rest of the chain, where the format has one. */
  readonly chain?: (der: Uint8Array) => string;
}

const base64 = (der: Uint8Array) => Buffer.from(der).toString('base64');
const byteSequence = (der: Uint8Array) => `:${base64(der)}:`;
const escapedPem = (der: Uint8Array) => encodeURIComponent(encodePem(der));
/** With `+`, `/` and `=` bare, which `encodeURIComponent` escapes. */
const looselyEscapedPem = (der: Uint8Array) => encodePem(der).replaceAll(' ', '%20').replaceAll('\n', '%0A');
const spacedPem = (der: Uint8Array) => encodePem(der).trimEnd().replaceAll('\n', ' ');

/** One element of Envoy's `X-Forwarded-Client-Cert`, with the pairs that our configuration of Envoy asks for. */
export function encodeElement(der: Uint8Array): string {
  return `Hash=${createHash('sha256').update(der).digest('hex')};Cert="${escapedPem(der)}"`;
}

/** The JSON form of the same. */
export function encodeJsonElement(der: Uint8Array): string {
  return JSON.stringify([{ hash: createHash('sha256').update(der).digest('hex'), cert: escapedPem(der) }]);
}

/** For every format, so that no new one is forgotten. */
export const forgeryEncoders: Readonly<Record<HeaderFormatName, ForgeryEncoder>> = {
  nginx: { certificate: escapedPem },
  'ingress-nginx': { certificate: escapedPem },
  envoy: { certificate: encodeElement },
  istio: { certificate: encodeElement },
  rfc9440: { certificate: byteSequence, chain: byteSequence },
  haproxy: { certificate: base64, chain: base64 },
  apache: { certificate: spacedPem },
  traefik: { certificate: base64 },
  caddy: { certificate: base64 },
  'aws-alb': { certificate: looselyEscapedPem },
  'aws-alb-passthrough': { certificate: looselyEscapedPem },
  'gcp-lb': { certificate: byteSequence, chain: byteSequence },
  azure: { certificate: escapedPem },
  'azure-app-service': { certificate: base64 },
  cloudflare: { certificate: byteSequence, chain: byteSequence },
};
