import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { foreignCurve, peerCertificateWithIssuers } from '../peer-certificates.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import { MAX_CERTIFICATE_BYTES } from '../pki/certificate/client-certificate.ts';
import { ExtensionOid } from '../pki/certificate/extensions.ts';
import { requireStrongKey } from '../pki/certificate/public-key-policy.ts';
import { type CertificateStructure, parseCertificateStructure } from '../pki/certificate/structure.ts';
import { parseSubjectAlternativeNames } from '../pki/certificate/subject-alternative-names.ts';
import { sha256Thumbprint } from '../pki/certificate/thumbprint.ts';

/** The certificate that the peer presented in the TLS handshake, which proved possession of its private key. */
export type PeerCertificate =
  | { readonly kind: 'none' }
  | { readonly kind: 'unacceptable'; readonly reason: string }
  | {
      readonly kind: 'certificate';
      /** `x5t#S256`. */
      readonly thumbprint: string;
      /** The DNS names and URIs among its subject alternative names: `dns:gw.internal`, `uri:spiffe://example/gw`. */
      readonly names: readonly string[];
      /** Milliseconds since the epoch, both inclusive (RFC 5280 §4.1.2.5). */
      readonly notBefore: number;
      readonly notAfter: number;
      /** OpenSSL's code for why it does not verify against the listener's CA certificates; undefined if it does. */
      readonly chainError: string | undefined;
      /** The thumbprints of the CA certificates above it, as far as it verifies. */
      readonly issuers: readonly string[];
    };

const cachedBySocket = new WeakMap<TLSSocket, PeerCertificate>();

/** The certificate that the peer presented. It is parsed once per connection, regardless of the number of requests. */
export function peerCertificate(socket: Socket): PeerCertificate {
  if (!(socket instanceof TLSSocket)) return { kind: 'none' };
  const cached = cachedBySocket.get(socket);
  if (cached) return cached;
  const presented = readPeerCertificate(socket);
  cachedBySocket.set(socket, presented);
  return presented;
}

function readPeerCertificate(socket: TLSSocket): PeerCertificate {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return { kind: 'none' };
  try {
    const { extensions, publicKey } = parseBoundedStructure(certificate.raw);
    requireStrongKey(publicKey);
    requireNistCurves(certificate);
    const { dns, uri } = parseSubjectAlternativeNames(extensions.get(ExtensionOid.subjectAlternativeName)).names;
    return {
      kind: 'certificate',
      thumbprint: sha256Thumbprint(certificate.raw),
      names: [...dns.map((name) => `dns:${name}`), ...uri.map((name) => `uri:${name}`)],
      notBefore: certificate.validFromDate.getTime(),
      notAfter: certificate.validToDate.getTime(),
      chainError: socket.authorized ? undefined : String(socket.authorizationError),
      issuers: socket.authorized ? issuersOf(socket) : [],
    };
  } catch (error) {
    // OpenSSL accepted it in the handshake, but a part of it is malformed or too weak for us.
    const reason = error instanceof CertificateError ? error.message : 'cannot be parsed by OpenSSL';
    return { kind: 'unacceptable', reason };
  }
}

/** As far as the peer sent the chain. The rest of it are the listener's own CA certificates. */
function requireNistCurves(leaf: X509Certificate): void {
  for (let each: X509Certificate | undefined = leaf; each; each = each.issuerCertificate)
    if (foreignCurve(each) !== undefined)
      throw new CertificateError('has a key, or a CA above it, on another curve than P-256, P-384 and P-521');
}

/** Includes those that the peer did not send. Node names a root as its own issuer. */
function issuersOf(socket: TLSSocket): string[] {
  const issuers: string[] = [];
  for (let certificate = peerCertificateWithIssuers(socket); ; certificate = certificate.issuerCertificate) {
    const { issuerCertificate } = certificate;
    if (!issuerCertificate || issuerCertificate === certificate) return issuers;
    issuers.push(sha256Thumbprint(issuerCertificate.raw));
  }
}

function parseBoundedStructure(der: Uint8Array): CertificateStructure {
  if (der.length > MAX_CERTIFICATE_BYTES) throw new CertificateError(`is longer than ${MAX_CERTIFICATE_BYTES} bytes`);
  return parseCertificateStructure(der);
}
