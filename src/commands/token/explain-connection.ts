import type { Address } from '../../doctor/probe/routes.ts';
import { certificateReason, firstAttempt, type NetworkError, unreachableReason } from '../../errors/network-error.ts';
import { OperatorError } from '../../errors/operator-error.ts';

/** Why a handshake fails, by OpenSSL's reason. Most are alerts of the server. */
const handshakeReasons: Readonly<Record<string, string>> = {
  ALERT_UNKNOWN_CA: 'it does not trust the CA of your certificate: use a certificate of a CA that it trusts',
  ALERT_BAD_CERTIFICATE: 'it rejects your certificate',
  ALERT_UNSUPPORTED_CERTIFICATE:
    'it rejects the type or purpose of your certificate: its extended key usage must contain clientAuth',
  ALERT_CERTIFICATE_REVOKED: 'your certificate is revoked',
  ALERT_CERTIFICATE_EXPIRED: 'your certificate has expired: renew it',
  ALERT_CERTIFICATE_UNKNOWN: 'it rejects your certificate',
  ALERT_CERTIFICATE_REQUIRED: 'it requires a client certificate, and did not accept yours',
  ALERT_ACCESS_DENIED: 'it denies access to your certificate',
  ALERT_DECRYPT_ERROR: 'it cannot verify the signature of your private key',
  UNRECOGNIZED_NAME: 'it does not serve this host name: check --url',
  ALERT_HANDSHAKE_FAILURE:
    'it has no protocol or algorithm in common with this program, or requires another certificate',
  ALERT_PROTOCOL_VERSION: 'it has no version of TLS in common with this program',
  WRONG_VERSION_NUMBER: 'it does not respond with TLS on this port: check the port in --url',
  PACKET_LENGTH_TOO_LONG: 'it does not respond with TLS on this port: check the port in --url',
};

/**
 * Why there is no response to a request, and the fix.
 *
 * @param connectTo where the connection was made instead of the URL's host and port
 */
export function explainConnectionError(url: URL, thrown: Error, connectTo: Address | undefined): OperatorError {
  const error = firstAttempt(thrown);
  const target = connectTo ? `${url.host} at ${connectTo.host}:${connectTo.port}` : url.host;
  return new OperatorError([reasonFor(target, error)]);
}

function reasonFor(target: string, error: NetworkError): string {
  const unreachable = unreachableReason(error);
  if (unreachable !== undefined) return `${target} cannot be reached: ${unreachable}; ${fixUnreachable(error)}`;
  const untrusted = certificateReason(error);
  if (untrusted !== undefined) return `the certificate of ${target} is rejected: ${untrusted}; ${fixUntrusted(error)}`;
  const { code = '' } = error;
  // The reason of OpenSSL is in the code, or only in the message (EPROTO).
  const reason = `${code} ${error.message}`.toUpperCase().replaceAll(' ', '_');
  const alert = Object.keys(handshakeReasons).find((name) => reason.includes(name));
  if (alert !== undefined)
    return `the TLS handshake with ${target} failed: ${handshakeReasons[alert]} (${alert.toLowerCase()})`;
  const reset = code === 'ECONNRESET' || code === 'EPIPE';
  if (reset)
    return `${target} closed the connection without a response: it may require another client certificate (${code})`;
  return `no response from ${target}: ${code || error.message}`;
}

function fixUnreachable({ code = '' }: NetworkError): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'check the host name in --url, or add --connect-to HOST:PORT';
  return 'check the host and the port in --url, and that the TLS terminator runs';
}

function fixUntrusted({ code }: NetworkError): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'use a host name of the certificate in --url';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'renew it, or check the clock of this machine';
  return 'pass the certificate of its CA with --cacert CA.pem';
}
