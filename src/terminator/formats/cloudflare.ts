import type { HeaderFormat } from '../format.ts';
import { rfc9440 } from './rfc9440.ts';

/**
 * Cloudflare, with request header transform rules that set `Client-Cert` to `cf.tls_client_auth.cert_rfc9440` and
 * `Client-Cert-Chain` to `cf.tls_client_auth.cert_chain_rfc9440`, and the managed transform "Add TLS client auth
 * headers". The certificate is forwarded whether or not it is valid, and a revoked one counts as verified, so both
 * verification fields are required. Not tested against the service: based on the documentation of Cloudflare.
 *
 * The older `Cf-Client-Cert-Der-Base64` is not supported: according to the documentation only the first request of a
 * connection has it, and no rule may remove a copy that a client sent.
 */
export const cloudflare: HeaderFormat = {
  ...rfc9440,
  verification: [
    { header: 'cf-cert-verified', successValue: 'true' },
    { header: 'cf-cert-revoked', successValue: 'false' },
  ],
  absentValues: [],
};
