import { createHash } from 'node:crypto';
import type { HeaderFormatName } from '../../src/terminator/formats.ts';

/** A certificate in two encodings. */
export interface Forwarded {
  readonly der: Uint8Array;
  readonly pem: string;
}

/** The headers in which a terminator forwards a leaf and its chain. */
type Encoder = (leaf: Forwarded, chain: readonly Forwarded[]) => Readonly<Record<string, string>>;

const base64 = ({ der }: Forwarded) => Buffer.from(der).toString('base64');
const byteSequence = (certificate: Forwarded) => `:${base64(certificate)}:`;
const lines = (certificates: readonly Forwarded[]) => certificates.map(({ pem }) => pem).join('');
const aws = (pem: string) => encodeURIComponent(pem).replace(/%2B|%2F|%3D/g, decodeURIComponent);
const list = (chain: readonly Forwarded[]) => chain.map(byteSequence).join(', ');
const optional = (name: string, value: string) => (value === '' ? {} : { [name]: value });

const xfcc: Encoder = (leaf, chain) => {
  const hash = createHash('sha256').update(leaf.der).digest('hex');
  const rest = chain.length > 0 ? `;Chain="${encodeURIComponent(lines([leaf, ...chain]))}"` : '';
  return { 'x-forwarded-client-cert': `Hash=${hash};Cert="${encodeURIComponent(leaf.pem)}"${rest}` };
};

/** What each terminator writes, independent of the product's own code. A new format does not compile without one. */
export const forwardedAs: Readonly<Record<HeaderFormatName, Encoder>> = {
  nginx: ({ pem }) => ({ 'x-ssl-client-cert': encodeURIComponent(pem), 'x-ssl-client-verify': 'SUCCESS' }),
  'ingress-nginx': ({ pem }) => ({ 'ssl-client-cert': encodeURIComponent(pem), 'ssl-client-verify': 'SUCCESS' }),
  envoy: xfcc,
  istio: xfcc,
  haproxy: (leaf, chain) => ({
    'x-ssl-client-cert': base64(leaf),
    'x-ssl-client-verify': '0',
    ...optional('x-ssl-client-chain', Buffer.concat(chain.map(({ der }) => der)).toString('base64')),
  }),
  apache: ({ pem }) => ({
    'x-ssl-client-cert': pem.replaceAll('\n', ' ').trimEnd(),
    'x-ssl-client-verify': 'SUCCESS',
  }),
  caddy: (leaf) => ({ 'x-ssl-client-cert': base64(leaf) }),
  traefik: (leaf, chain) => ({ 'x-forwarded-tls-client-cert': [leaf, ...chain].map(base64).join(',') }),
  rfc9440: (leaf, chain) => ({ 'client-cert': byteSequence(leaf), ...optional('client-cert-chain', list(chain)) }),
  'aws-alb': ({ pem }) => ({ 'x-amzn-mtls-clientcert-leaf': aws(pem) }),
  'aws-alb-passthrough': (leaf, chain) => ({ 'x-amzn-mtls-clientcert': aws(lines([leaf, ...chain])) }),
  'gcp-lb': (leaf, chain) => ({
    'x-client-cert-leaf': byteSequence(leaf),
    'x-client-cert-chain-verified': 'true',
    'x-client-cert-present': 'true',
    ...optional('x-client-cert-chain', list(chain)),
  }),
  azure: ({ pem }) => ({
    'x-client-certificate': encodeURIComponent(pem),
    'x-client-certificate-verification': 'SUCCESS',
  }),
  'azure-app-service': (leaf) => ({ 'x-arr-clientcert': base64(leaf) }),
  cloudflare: (leaf, chain) => ({
    'client-cert': byteSequence(leaf),
    'cf-cert-verified': 'true',
    'cf-cert-revoked': 'false',
    ...optional('client-cert-chain', list(chain)),
  }),
};
