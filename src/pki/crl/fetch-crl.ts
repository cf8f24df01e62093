import { certificateReason, firstAttempt, type NetworkError, unreachableReason } from '../../errors/network-error.ts';
import { supportForeignCurves } from '../../peer-certificates.ts';

const TIMEOUT_MILLISECONDS = 30_000;
/** A CRL with a million entries has about 40 MiB. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A response that contains no CRL. */
class ResponseError extends Error {
  override readonly name = 'ResponseError';
}

/**
 * Fetches a URL from the configuration, never one from a certificate. Redirects are not followed.
 *
 * @param timeoutMilliseconds for the complete response
 * @throws {Error} stating why there is no response with status 200 in this time and within 64 MiB, and how to fix it
 */
export async function fetchCrl(
  url: string,
  signal: AbortSignal,
  timeoutMilliseconds = TIMEOUT_MILLISECONDS,
): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(timeoutMilliseconds);
  supportForeignCurves();
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.any([signal, timeout]) });
    if (response.status === 200) return await readBounded(response);
    await response.body?.cancel();
    throw new ResponseError(describeStatus(response, url));
  } catch (error) {
    if (error instanceof ResponseError) throw error;
    if (timeout.aborted) throw new Error(`no complete response within ${timeoutMilliseconds / 1000} s`);
    throw new Error(error instanceof Error ? explainFetchError(error) : 'the request failed');
  }
}

function describeStatus({ status, headers }: Response, url: string): string {
  const location = headers.get('location');
  if (status < 300 || status > 399 || location === null || !URL.canParse(location, url))
    return `the server responded with status ${status}`;
  // Without its query, which may hold a signature.
  const { origin, pathname } = new URL(location, url);
  return `the server redirects to ${origin}${pathname} (status ${status}): set that URL, redirects are not followed`;
}

async function readBounded({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new ResponseError(`the response is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The message of `fetch` is only "fetch failed"; its cause has the details. */
function explainFetchError({ message, cause }: Error): string {
  const error = firstAttempt(cause instanceof Error ? cause : new Error(message));
  const unreachable = unreachableReason(error);
  if (unreachable !== undefined) return `the server cannot be reached: ${unreachable}`;
  const untrusted = certificateReason(error);
  if (untrusted !== undefined) return `the certificate of the server is not trusted: ${untrusted}; ${TRUST_FIX}`;
  return explainResponse(error, message === 'terminated');
}

const TRUST_FIX = 'add its CA with NODE_EXTRA_CA_CERTS=FILE, or fetch over http, since CRLs are signed';

/** @param isCutOff whether the response had begun */
function explainResponse({ code = '', message, name }: NetworkError, isCutOff: boolean): string {
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'the server does not respond with TLS on this port: try http://';
  // Others, such as TLS alerts, without the source location that OpenSSL adds.
  if (code.startsWith('ERR_SSL_')) return `the TLS handshake failed (${constantWords(code.slice('ERR_SSL_'.length))})`;
  if (name === 'HTTPParserError') return 'the server does not respond with HTTP on this port';
  if (code.startsWith('Z_')) return `the response is not in the content encoding that it states (${code})`;
  if (message === 'bad port') return 'this port is reserved for another protocol: serve the CRL on another one';
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'the header of the response is too large';
  if (!CONNECTION_CLOSED.has(code)) return `the request failed (${code || constantWords(message)})`;
  return isCutOff ? 'the response is cut off' : 'the server closed the connection without a response';
}

const CONNECTION_CLOSED: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

function constantWords(constant: string): string {
  return constant.toLowerCase().replaceAll('_', ' ');
}
