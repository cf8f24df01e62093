/** An error of a socket, a TLS handshake or a client of Node.js. */
export type NetworkError = Error & { readonly code?: string; readonly reason?: string };

/** Why an address cannot be reached, by error code. */
const unreachableReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the name server does not respond',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no response',
  UND_ERR_CONNECT_TIMEOUT: 'no response',
  EADDRNOTAVAIL: 'invalid address',
  EACCES: 'permission denied',
  ENOENT: 'the socket does not exist',
};

/** Why nothing at an address accepts a connection, with the code; undefined for any other error. */
export function unreachableReason({ code = '' }: NetworkError): string | undefined {
  const reason = unreachableReasons[code];
  return reason === undefined ? undefined : `${reason} (${code})`;
}

/** The first error of several connection attempts, such as those to the addresses of a name; the error itself otherwise. */
export function firstAttempt(error: Error): NetworkError {
  return error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
}

/** Why a server's certificate is not trusted, by Node's code, without the advice for programmers in its messages. */
const certificateReasons: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'no trusted CA issued it',
  UNABLE_TO_GET_ISSUER_CERT: 'no trusted CA issued it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'no trusted CA issued it',
  SELF_SIGNED_CERT_IN_CHAIN: 'no trusted CA issued it',
  CERT_UNTRUSTED: 'no trusted CA issued it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_SIGNATURE_FAILURE: 'a signature in its chain is invalid',
  INVALID_PURPOSE: 'its extended key usage lacks serverAuth',
  INVALID_CA: 'a certificate above it is not a CA certificate',
  CERT_REJECTED: 'its root is not trusted for this purpose',
};

/** Why a server's certificate is rejected, with the code; undefined for any other error. */
export function certificateReason({ code = '', reason }: Pick<NetworkError, 'code' | 'reason'>): string | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return reason ?? `it is for another name (${code})`;
  const known = certificateReasons[code];
  return known === undefined ? undefined : `${known} (${code})`;
}
