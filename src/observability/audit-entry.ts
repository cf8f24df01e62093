import type { ReasonCode } from '../reasons/reasons.ts';

/** What is known about a request when it is decided. It contains no token, key, PEM or secret. */
export interface AuditEntry {
  /** That of a rejected request, until the request is granted. */
  event: string;
  /** Address of the peer, which is the proxy; `unix` for a Unix socket. */
  peer?: string;
  /** Of the proxy, if it is trusted and states one; otherwise a new one. */
  request_id?: string;
  /** As the trusted proxy states it. */
  client_address?: string | undefined;
  /** Of the W3C Trace Context that the request belongs to. */
  trace_id?: string | undefined;
  /** Of a check at the edge: `mint`, `verify`, `either` or `rejected`. */
  route?: string;
  /** Name of the resource of a check. */
  resource?: string;
  /** As sent in the request; authenticated only if the request was granted. */
  client_id?: string;
  method?: string;
  /** The entry of the client's record that the certificate fits, by its description or note. */
  registration?: string;
  /** Subject DN of the certificate (RFC 4514). */
  subject?: string;
  /** SPIFFE ID of the certificate, if it is the X509-SVID of a workload. */
  spiffe_id?: string;
  thumbprint?: string;
  /** Issuer DN of the certificate (RFC 4514). */
  issuer?: string;
  /** Of the certificate, in hex as OpenSSL and nginx print it. */
  serial_number?: string;
  /** How the chain of the certificate was verified, if it was. */
  chain?: string;
  /** Subject of the token, if it is not the `client_id`. */
  sub?: string;
  scope?: string;
  audience?: readonly string[];
  jti?: string;
  kid?: string;
  expires_at?: string;
  /** Whether the token that the request is about is active, if the request was granted. */
  active?: boolean;
  /** Client of that token, if it is another one. */
  token_client_id?: string;
  /** What the operator should change although the token was issued. */
  advice?: string;
  /** Why the request was rejected, or the token is not active. */
  code?: ReasonCode;
  /** Error code and HTTP status as the client received them, or the proxy. */
  error?: string;
  status?: number;
  /** The exact reason why the request was rejected or the token is not active, which the client does not receive. */
  reason?: string;
  /** From the header of the request to the decision. */
  duration_ms?: number;
  /** How many events like this one were not logged since the last one that was. */
  left_out?: number;
  /** Of an internal error. */
  stack?: string;
}
