import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileErrorReason } from '../errors/file-error.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { FileContentError } from '../files/file-content-error.ts';
import { PasswordError } from '../files/pkcs12/password.ts';
import { parsePkcs12 } from '../files/pkcs12/pkcs12.ts';
import { parsePrivateKeyFile } from '../files/private-key.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import {
  type IssuanceOptions,
  issueCertificate,
  type KeyPairWithCertificate,
} from '../pki/certificate/issue-certificate.ts';
import { parseWithOpenssl } from '../pki/certificate/openssl-certificate.ts';
import { parseCertificateFile } from '../pki/certificate/pem.ts';
import { createPkcs12 } from './pkcs12.ts';

/** Protects nothing: the key is beside it without one. Java and Windows require one. */
export const PKCS12_PASSWORD = 'countersign';

const LEAF_DAYS = 365;
const CA_DAYS = 3650;
const ONE_DAY = 86_400_000;

type NewPair = Omit<IssuanceOptions, 'lifetimeDays' | 'now'>;

/** Reads files that exist, creates the others, and records which ones it created. */
export class WorkspaceFiles {
  readonly created: string[] = [];
  readonly #folder: string;
  readonly #now: number;

  constructor(folder: string, now: number) {
    this.#folder = folder;
    this.#now = now;
  }

  /** A certificate with its key, from `NAME.pem` and `NAME-key.pem`. */
  async pair(name: string, request: NewPair, reissue = false): Promise<KeyPairWithCertificate> {
    const stored = reissue ? undefined : this.#storedPair(name);
    if (stored) return stored;
    const lifetimeDays = request.purpose === 'ca' ? CA_DAYS : LEAF_DAYS;
    const pair = await issueCertificate({ ...request, lifetimeDays, now: this.#now });
    this.#write(`${name}.pem`, pair.certificatePem);
    this.#write(`${name}-key.pem`, pair.privateKeyPem);
    return pair;
  }

  text(name: string, create: () => string): string {
    return this.#read(name) ?? this.#write(name, create());
  }

  /** The path of a file with the certificate and its key, as .NET and Java read it. Written anew for another certificate. */
  pkcs12(name: string, pair: KeyPairWithCertificate): string {
    const path = join(this.#folder, name);
    const { raw } = new X509Certificate(pair.certificatePem);
    const hasCertificate = (content: Buffer) => certificatesIn(content).some((certificate) => raw.equals(certificate));
    const isCurrent = existsSync(path) && this.#parse(name, hasCertificate);
    if (!isCurrent) this.#write(name, createPkcs12(pair, { name: basename(name, '.p12'), password: PKCS12_PASSWORD }));
    return path;
  }

  /** Undefined if a file of the pair is missing, or the certificate expires within a day. */
  #storedPair(name: string): KeyPairWithCertificate | undefined {
    const [certificateFile, keyFile] = [`${name}.pem`, `${name}-key.pem`];
    const certificatePem = this.#read(certificateFile);
    const privateKeyPem = this.#read(keyFile);
    if (certificatePem === undefined || privateKeyPem === undefined) return undefined;
    const certificate = this.#parse(certificateFile, (content) =>
      parseWithOpenssl(parseCertificateFile(content).certificates[0]),
    );
    const { key } = this.#parse(keyFile, parsePrivateKeyFile);
    if (!certificate.checkPrivateKey(key)) throw this.#unusable(keyFile, `is not the key of ${certificateFile}`);
    const isValidTomorrow = certificate.validToDate.getTime() > this.#now + ONE_DAY;
    return isValidTomorrow ? { certificatePem, privateKeyPem } : undefined;
  }

  #parse<Value>(name: string, parse: (content: Buffer) => Value): Value {
    const content = this.#content(name);
    try {
      return parse(content);
    } catch (error) {
      if (error instanceof CertificateError || error instanceof FileContentError)
        throw this.#unusable(name, error.message);
      throw error;
    }
  }

  #unusable(name: string, problem: string): OperatorError {
    return new OperatorError([`${join(this.#folder, name)}: ${problem}; delete the file to recreate it`]);
  }

  #read(name: string): string | undefined {
    return existsSync(join(this.#folder, name)) ? this.#content(name).toString() : undefined;
  }

  #content(name: string): Buffer {
    const path = join(this.#folder, name);
    try {
      return readFileSync(path);
    } catch (error) {
      throw new OperatorError([`${path}: cannot be read: ${fileErrorReason(error)}`]);
    }
  }

  /** The file has complete content at every moment. */
  #write<Content extends string | Uint8Array>(name: string, content: Content): Content {
    const path = join(this.#folder, name);
    const partial = `${path}.partial`;
    rmSync(partial, { force: true });
    writeFileSync(partial, content, { flag: 'wx', mode: /key\.pem$|\.p12$/.test(name) ? 0o600 : 0o644 });
    renameSync(partial, path);
    this.created.push(name);
    return content;
  }
}

function certificatesIn(pkcs12: Buffer): readonly Uint8Array[] {
  try {
    return parsePkcs12(pkcs12, PKCS12_PASSWORD).certificates;
  } catch (error) {
    if (!(error instanceof PasswordError)) throw error;
    throw new FileContentError(`is protected by another password than "${PKCS12_PASSWORD}", or damaged`);
  }
}
