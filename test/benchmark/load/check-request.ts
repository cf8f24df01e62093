import type { MintedCertificate } from '../../support/certificates.ts';
import type { Answer } from '../cases/throughput.ts';
import { UnavailableError } from './unavailable.ts';

/**
 * A check as nginx sends it with the shipped configuration.
 *
 * @param token of the request that is checked; undefined if it has none
 */
export function checkRequest(path: string, certificate: MintedCertificate, token: string | undefined): Buffer {
  const head = [
    `GET ${path} HTTP/1.1`,
    'Host: countersign_edge',
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    `X-SSL-Client-Cert: ${encodeURIComponent(certificate.pem)}`,
    'X-SSL-Client-Verify: SUCCESS',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
}

const approved = /^HTTP\/1\.1 200 .*\r\nauthorization: Bearer eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{64,}\r\n/is;

/** Approved checks, with the token that the proxy forwards. */
export const approvals: Answer = {
  unit: 'check',
  require: ({ status, text }) => {
    if (status === 503) throw new UnavailableError(`expected an approved check, received: ${text.slice(0, 600)}`);
    if (!approved.test(text)) throw new Error(`expected an approved check, received: ${text.slice(0, 600)}`);
  },
};
