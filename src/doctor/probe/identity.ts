import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { OperatorError } from '../../operator-error.ts';
import { issueCertificate, type KeyPairWithCertificate } from '../../pki/certificate/issue-certificate.ts';
import { decodeDistinguishedName, formatDistinguishedName } from '../../pki/certificate/names/distinguished-name.ts';
import { parseCertificateStructure } from '../../pki/certificate/structure.ts';
import { sha256Thumbprint } from '../../pki/certificate/thumbprint.ts';

/** The certificate that is sent in the handshake, with its key. */
export interface ClientKeyPair extends KeyPairWithCertificate {
  readonly der: Uint8Array;
  readonly subject: string;
  /** `x5t#S256`. */
  readonly thumbprint: string;
  /** Whether it was made for this run: self-signed, and known to nobody. */
  readonly made: boolean;
  readonly selfSigned: boolean;
  /** Undefined for one that was made for this run. */
  readonly certificateFile: string | undefined;
  /** Why it is not valid at this time; undefined where it is. */
  readonly outdated: string | undefined;
}

/**
 * Reads a certificate (the first of its file; what follows is sent as its chain) and its key, both PEM.
 *
 * @throws {OperatorError} naming the file and what is wrong with it
 */
export function readClientKeyPair(certificateFile: string, keyFile: string): ClientKeyPair {
  const certificatePem = readText(certificateFile);
  const privateKeyPem = readText(keyFile);
  const certificate = parseOr(`${certificateFile}: holds no certificate in PEM`, () => {
    return new X509Certificate(certificatePem);
  });
  const key = parseOr(`${keyFile}: holds no private key that can be read; it must be PEM, and not encrypted`, () => {
    return createPrivateKey(privateKeyPem);
  });
  if (!certificate.checkPrivateKey(key)) throw new OperatorError([`${keyFile} is not the key of ${certificateFile}`]);
  return identityOf({ certificatePem, privateKeyPem }, certificate, certificateFile);
}

/** What to call it when speaking to the operator. */
export function nameOwn({ made }: Pick<ClientKeyPair, 'made'>): string {
  return made ? 'the certificate that was made for this run' : 'your certificate';
}

/** Makes a certificate for this run. */
export async function makeClientKeyPair(): Promise<ClientKeyPair> {
  const pair = await makeSelfSigned('countersign-doctor');
  return identityOf(pair, new X509Certificate(pair.certificatePem), undefined);
}

/** The certificate that is put into headers. Nobody holds its key, so whoever is believed to be its holder is not. */
export async function makeVictim(): Promise<Uint8Array> {
  const { certificatePem } = await makeSelfSigned('countersign-doctor-victim');
  return new X509Certificate(certificatePem).raw;
}

function makeSelfSigned(commonName: string): Promise<KeyPairWithCertificate> {
  return issueCertificate({ purpose: 'client', subject: [{ CN: [commonName] }], lifetimeDays: 1, now: Date.now() });
}

/** @param certificateFile undefined for one that was made for this run */
function identityOf(
  pair: KeyPairWithCertificate,
  certificate: X509Certificate,
  certificateFile: string | undefined,
): ClientKeyPair {
  const { raw: der, publicKey } = certificate;
  return {
    ...pair,
    der,
    subject: subjectOf(der),
    thumbprint: sha256Thumbprint(der),
    made: certificateFile === undefined,
    selfSigned: certificate.verify(publicKey),
    certificateFile,
    outdated: outdatedAt(certificate, Date.now()),
  };
}

function outdatedAt({ validFromDate, validToDate }: X509Certificate, now: number): string | undefined {
  if (now > validToDate.getTime()) return `expired on ${validToDate.toISOString()}`;
  if (now < validFromDate.getTime()) return `is not valid before ${validFromDate.toISOString()}`;
  return undefined;
}

/** What Node takes for a certificate may be one that the server refuses to read: that is what it is sent for. */
function subjectOf(der: Uint8Array): string {
  try {
    return formatDistinguishedName(decodeDistinguishedName(parseCertificateStructure(der).subject));
  } catch {
    return new X509Certificate(der).subject.replaceAll('\n', ', ');
  }
}

/** @throws {OperatorError} */
export function readText(file: string): string {
  return parseOr(`${file}: cannot be read`, () => readFileSync(file, 'latin1'));
}

function parseOr<Value>(fault: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    const isFileError = error instanceof Error && 'syscall' in error;
    throw new OperatorError([isFileError ? `${fault}: ${error.message}` : fault]);
  }
}

/**
 * Trusts the authorities of this machine beside Node's own, as curl and browsers here do: a company's CA is among them.
 * For the whole process.
 */
export function trustSystemCas(): void {
  // Node 24.5 is the first that can be told.
  if (!('setDefaultCACertificates' in tls)) return;
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...tls.getCACertificates('system')]);
}
