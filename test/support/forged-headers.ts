import type { MintedCertificate } from './certificates.ts';
import { mtlsHost, plainHost } from './deployment.ts';

/** The lines in which a client may try to present the victim's public certificate as its own. */
export type Spelling = [title: string, lines: (victim: MintedCertificate) => string[]];

const escaped = ({ pem }: MintedCertificate) => encodeURIComponent(pem);
const base64 = ({ der }: MintedCertificate) => Buffer.from(der).toString('base64');
export const named = (cert: string, verify: string) => (victim: MintedCertificate) => [
  `${cert}: ${escaped(victim)}`,
  `${verify}: SUCCESS`,
];

/** As nginx writes them for a verified chain. */
export const exact = named('X-SSL-Client-Cert', 'X-SSL-Client-Verify');

/** Forgeries that a proxy may treat as ordinary headers. */
export const forwardable: Spelling[] = [
  ['as the proxy writes them', exact],
  ['in lower case', named('x-ssl-client-cert', 'x-ssl-client-verify')],
  ['in upper case', named('X-SSL-CLIENT-CERT', 'X-SSL-CLIENT-VERIFY')],
  ['in mixed case', named('x-SsL-cLiEnT-cErT', 'x-sSl-ClIeNt-VeRiFy')],
  ['with underscores', named('X_SSL_Client_Cert', 'X_SSL_Client_Verify')],
  ['with one underscore', named('X-SSL-Client_Cert', 'X-SSL-Client_Verify')],
  ['with dots', named('X.SSL.Client.Cert', 'X.SSL.Client.Verify')],
  ['with a character outside ASCII', named('X-SSL-Client-Cert\xa0', 'X-SSL-Client-Verify\xa0')],
  ['twice', (victim) => [...exact(victim), ...exact(victim)]],
  ['twice, the first ones empty', (victim) => ['X-SSL-Client-Cert:', 'X-SSL-Client-Verify:', ...exact(victim)]],
  ['twice, the last ones empty', (victim) => [...exact(victim), 'X-SSL-Client-Cert:', 'X-SSL-Client-Verify: NONE']],
  ['twice, in two cases', (victim) => [...exact(victim), ...named('x-ssl-client-cert', 'x-ssl-client-verify')(victim)]],
  ['with spaces around the values', (victim) => exact(victim).map((line) => `${line.replace(':', ':   ')}  `)],
  ['after a bare line feed', (victim) => [`X-Other: 1\n${exact(victim).join('\n')}`]],
  ['the verification alone', () => ['X-SSL-Client-Verify: SUCCESS']],
  ['the certificate alone', (victim) => exact(victim).slice(0, 1)],
  ['named in Connection', (victim) => [...exact(victim), 'Connection: X-SSL-Client-Cert']],
  ['named in Connection, without them', () => ['Connection: X-SSL-Client-Cert, X-SSL-Client-Verify']],
  ['the verification named in Connection', (victim) => [...exact(victim), 'Connection: close, X-SSL-Client-Verify']],
  ['the secret named in Connection', (victim) => [...exact(victim), 'Connection: X-Countersign-Proxy-Secret']],
  [
    'named in Keep-Alive and Upgrade',
    (victim) => [...exact(victim), 'Connection: upgrade', 'Upgrade: X-SSL-Client-Cert'],
  ],
  ['beside a guessed proxy secret', (victim) => [...exact(victim), `X-Countersign-Proxy-Secret: ${'0'.repeat(64)}`]],
  ['beside addresses of a proxy', (victim) => [...exact(victim), 'X-Forwarded-For: 127.0.0.1', 'Forwarded: for=unix']],
  ['as RFC 9440', (victim) => [`Client-Cert: :${base64(victim)}:`, `Client-Cert-Chain: :${base64(victim)}:`]],
  ['as Envoy', (victim) => [`X-Forwarded-Client-Cert: By=x;Cert="${escaped(victim)}"`]],
  ['as ingress-nginx', (victim) => [`ssl-client-cert: ${escaped(victim)}`, 'ssl-client-verify: SUCCESS']],
  ['as a load balancer', (victim) => [`X-Amzn-Mtls-Clientcert-Leaf: ${escaped(victim)}`]],
  ['in early data', (victim) => [...exact(victim), 'Early-Data: 1']],
];

/** Forgeries that are not valid HTTP (RFC 9112 §5.1, §5.2, §6.3), or that nginx rejects. */
export const rejectedByNginx: Spelling[] = [
  ['folded', (victim) => ['X-Other: 1', ...exact(victim).map((line) => ` ${line}`)]],
  ['folded with a tab', (victim) => [`X-Other: 1\r\n\tX-SSL-Client-Cert: ${escaped(victim)}`]],
  ['with a space before the colon', named('X-SSL-Client-Cert ', 'X-SSL-Client-Verify ')],
  ['with a NUL in the name', named('X-SSL-Client-Cert\0', 'X-SSL-Client-Verify\0')],
  ['with two lengths', (victim) => [...exact(victim), 'Content-Length: 1', 'Content-Length: 2']],
  ['with a length and chunks', (victim) => [...exact(victim), 'Transfer-Encoding: chunked', 'Content-Length: 5']],
  ['with two Hosts', (victim) => [...exact(victim), `Host: ${plainHost}`, `Host: ${mtlsHost}`]],
];
