import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import 'reflect-metadata';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate with its private key (PKCS #8), both PEM. */
export interface KeyPairWithCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface IssuanceOptions {
  readonly purpose: 'ca' | 'client' | 'server';
  /** RDNs in the order of the DER, e.g. `[{ O: ['company'] }, { CN: ['client'] }]`. */
  readonly subject: JsonName;
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  /** Without it, the certificate is self-signed. */
  readonly issuer?: KeyPairWithCertificate;
  readonly lifetimeDays: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY = 86_400_000;
/** Clocks differ: a new certificate must not be "not yet valid" on another machine. */
const BACKDATED = 300_000;

/** Generates a P-256 key pair and issues a certificate for it. For development only. */
export async function issueCertificate(options: IssuanceOptions): Promise<KeyPairWithCertificate> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const { issuer, subject, now, lifetimeDays } = options;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: randomBytes(16).toString('hex').replace(/^./, '5'),
    subject,
    issuer: issuer ? new X509Certificate(issuer.certificatePem).subjectName.toJSON() : subject,
    notBefore: new Date(now - BACKDATED),
    notAfter: new Date(now + lifetimeDays * DAY),
    publicKey: keys.publicKey,
    signingKey: issuer ? await importPrivateKey(issuer.privateKeyPem) : keys.privateKey,
    signingAlgorithm: P256,
    extensions: extensionsFor(options),
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

async function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', new Uint8Array(der), P256, false, ['sign']);
}

function extensionsFor({ purpose, dnsNames = [], addresses = [] }: IssuanceOptions) {
  const names = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...addresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  const isCa = purpose === 'ca';
  const keyUsage = isCa ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature;
  const usages = { ca: [], client: [ExtendedKeyUsage.clientAuth], server: [ExtendedKeyUsage.serverAuth] }[purpose];
  return [
    new BasicConstraintsExtension(isCa, undefined, true),
    new KeyUsagesExtension(keyUsage, true),
    ...(usages.length > 0 ? [new ExtendedKeyUsageExtension(usages)] : []),
    ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
  ];
}
