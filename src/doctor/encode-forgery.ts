import { createHash } from 'node:crypto';
import { encodePem } from '../pki/certificate/pem.ts';
import type { HeaderFormatName } from '../terminator/formats.ts';

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
