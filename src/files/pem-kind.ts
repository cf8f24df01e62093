import { type ContentKind, kinds } from './content-kind.ts';

const useLabelCertificate = 'change the label of its BEGIN and END lines to CERTIFICATE';

/** The known labels (RFC 7468 §5–§13, and those that OpenSSL writes). */
const labels: Readonly<Record<string, ContentKind>> = {
  CERTIFICATE: kinds.certificate,
  'TRUSTED CERTIFICATE': {
    name: "a certificate with OpenSSL's trust settings (TRUSTED CERTIFICATE)",
    fix: 'convert it with openssl x509 -in FILE',
  },
  // RFC 7468 §5.1 and §6: parsers should not read these historical labels as CERTIFICATE and X509 CRL.
  'X509 CERTIFICATE': { name: 'a certificate with the label X509 CERTIFICATE', fix: useLabelCertificate },
  'X.509 CERTIFICATE': { name: 'a certificate with the label X.509 CERTIFICATE', fix: useLabelCertificate },
  CRL: { name: 'a CRL with the label CRL', fix: 'change the label of its BEGIN and END lines to X509 CRL' },
  'X509 CRL': kinds.crl,
  'CERTIFICATE REQUEST': kinds.certificateRequest,
  'NEW CERTIFICATE REQUEST': kinds.certificateRequest,
  PKCS7: kinds.pkcs7,
  'PKCS #7 SIGNED DATA': kinds.pkcs7,
  CMS: kinds.pkcs7,
  'PRIVATE KEY': kinds.privateKey,
  'EC PRIVATE KEY': kinds.privateKey,
  'RSA PRIVATE KEY': kinds.privateKey,
  'DSA PRIVATE KEY': kinds.privateKey,
  'ENCRYPTED PRIVATE KEY': kinds.encryptedPrivateKey,
  'OPENSSH PRIVATE KEY': {
    name: 'an OpenSSH private key',
    fix: 'convert a copy of it with ssh-keygen -p -m PKCS8 -f COPY',
  },
  'PUBLIC KEY': kinds.publicKey,
  'RSA PUBLIC KEY': kinds.publicKey,
  'EC PARAMETERS': kinds.parameters,
  'DH PARAMETERS': kinds.parameters,
  'DSA PARAMETERS': kinds.parameters,
  'PGP MESSAGE': { name: 'a PGP message', fix: 'decrypt it with gpg -d' },
  'AGE ENCRYPTED FILE': { name: 'a file encrypted by age', fix: 'decrypt it with age -d' },
};

/** The kind of a PEM block. */
export function kindOfLabel(label: string): ContentKind {
  const known = isKnownLabel(label) ? labels[label] : undefined;
  return known ?? { name: `a PEM block with the label ${label}` };
}

export function isKnownLabel(label: string): boolean {
  return Object.hasOwn(labels, label);
}

/** The kinds of all PEM blocks of a text; undefined if it contains none. */
export function pemKind(text: string): ContentKind | undefined {
  const found = [...text.matchAll(/^\s*-----BEGIN ([\x20-\x7e]{1,64}?)-----(\s+Proc-Type: 4,ENCRYPTED)?/gm)];
  const all = found.map(([, label = '', encrypted]) => {
    return encrypted === undefined ? kindOfLabel(label) : kinds.encryptedPrivateKey;
  });
  const [first, ...others] = new Set(all);
  if (!first) return undefined;
  return others.length === 0 ? first : { name: [first, ...others].map(({ name }) => name).join(', ') };
}
