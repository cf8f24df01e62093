import { type AuthorityCertificate, readAuthorityCertificate } from '../pki/certificate/ca-certificate.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import type { TrustStore } from './trust-store.ts';

/** What a client sent beside its certificate: it can help to find a path, and is never trusted. */
export interface ForwardedAuthorities {
  readonly authorities: readonly AuthorityCertificate[];
  /** Which of them help no path, and why. */
  readonly ignored: readonly string[];
}

/**
 * Reads those of the certificates that are an authority's, and not configured anyway.
 *
 * @param forwarded DER, without the leaf
 */
export function readForwardedAuthorities(forwarded: readonly Uint8Array[], trust: TrustStore): ForwardedAuthorities {
  const known = new Set([...trust.anchors, ...trust.intermediates].map(({ thumbprint }) => thumbprint));
  const authorities: AuthorityCertificate[] = [];
  const ignored: string[] = [];
  for (const [index, der] of forwarded.entries()) {
    const authority = readOrExplain(der);
    if (typeof authority === 'string') ignored.push(`forwarded certificate ${index + 1} ${authority}`);
    else if (!known.has(authority.thumbprint)) authorities.push(authority);
    if (typeof authority !== 'string') known.add(authority.thumbprint);
  }
  return { authorities, ignored };
}

function readOrExplain(der: Uint8Array): AuthorityCertificate | string {
  try {
    return readAuthorityCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError) return error.message;
    throw error;
  }
}
