/** A kind of content that operators put where another is expected. */
export interface ContentKind {
  /** With its article, for "the file is …" and "the file contains …". */
  readonly name: string;
  /** How to get what was expected, as a clause. */
  readonly fix?: string;
}

const OPENSSL_PKCS12 = 'openssl pkcs12 -in FILE';
const OPENSSL_PKCS7 = 'openssl pkcs7 -in FILE -print_certs';

/** Kinds that occur both as DER and as PEM. */
export const kinds = {
  certificate: { name: 'a certificate' },
  certificateRequest: { name: 'a certificate request', fix: 'use the certificate that the CA issued for it' },
  crl: { name: 'a CRL' },
  privateKey: { name: 'a private key' },
  encryptedPrivateKey: { name: 'an encrypted private key', fix: 'decrypt it with openssl pkey -in FILE -out NEW_FILE' },
  publicKey: { name: 'a public key' },
  parameters: { name: 'key parameters' },
  pkcs7: { name: 'a PKCS #7 message', fix: `extract its certificates and CRLs with ${OPENSSL_PKCS7}` },
  pkcs7Der: { name: 'a PKCS #7 message', fix: `extract its certificates and CRLs with ${OPENSSL_PKCS7} -inform DER` },
  pkcs12: {
    name: 'a PKCS #12 file',
    fix: `extract its certificates with ${OPENSSL_PKCS12} -nokeys, or its key with ${OPENSSL_PKCS12} -nocerts -noenc`,
  },
} as const satisfies Record<string, ContentKind>;
