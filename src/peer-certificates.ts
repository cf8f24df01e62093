import type { X509Certificate } from 'node:crypto';
import { type DetailedPeerCertificate, TLSSocket } from 'node:tls';

const nistCurves: readonly (string | undefined)[] = [undefined, 'prime256v1', 'secp384r1', 'secp521r1'];

/**
 * The curve of a certificate's key, unless it is P-256, P-384 or P-521. For any other one, such as brainpoolP256r1, Node's
 * legacy form of a certificate (`getPeerCertificate`, `toLegacyObject`) dereferences a null pointer, which ends the process.
 */
export function foreignCurve({ publicKey }: X509Certificate): string | undefined {
  const curve = publicKey.asymmetricKeyDetails?.namedCurve;
  return nistCurves.includes(curve) ? undefined : curve;
}

const { getPeerCertificate } = TLSSocket.prototype;

/**
 * Lets the TLS clients of this process connect to a server with such a key in its chain. After a handshake, Node's client
 * itself calls `getPeerCertificate(true)`, whose result has every certificate of the verified chain, and only reads the names of
 * the server's own. From now on, the method returns that one alone. Call it before a client connects.
 */
export function supportForeignCurves(): void {
  // The members that tls.checkServerIdentity reads: it rejects a server without names.
  TLSSocket.prototype.getPeerCertificate = peerCertificateAlone as typeof getPeerCertificate;
}

function peerCertificateAlone(this: TLSSocket): object {
  const certificate = this.getPeerX509Certificate();
  if (!certificate || foreignCurve(certificate) === undefined) return getPeerCertificate.call(this, false);
  return { subject: {}, subjectaltname: certificate.subjectAltName };
}

/** The certificate of a peer with those above it in the verified chain. None of them may have a key on a foreign curve. */
export function peerCertificateWithIssuers(socket: TLSSocket): DetailedPeerCertificate {
  // What `true` requests.
  return getPeerCertificate.call(socket, true) as DetailedPeerCertificate;
}
