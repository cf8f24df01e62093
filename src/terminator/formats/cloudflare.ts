import type { HeaderFormat } from '../format.ts';
import { rfc9440 } from './rfc9440.ts';

/**
 * Cloudflare, request header transform rules that set `Client-Cert` to `cf.tls_client_auth.cert_rfc9440` and
 * `Client-Cert-Chain` to `cf.tls_client_auth.cert_chain_rfc9440`, and the managed transform "Add TLS client auth
 * headers". The certificate is there whatever became of its validation, and a revoked one counts as verified, so the
 * verdict takes both fields. Not run here: after the documentation of Cloudflare.
 *
 * The older `Cf-Client-Cert-Der-Base64` is not read: the documentation says in one place that only the first request of
 * a connection has it, and no rule may remove a copy that a client sent.
 */
export const cloudflare: HeaderFormat = {
  ...rfc9440,
  verification: [
    { header: 'cf-cert-verified', successValue: 'true' },
    { header: 'cf-cert-revoked', successValue: 'false' },
  ],
  absentValues: [],
};
