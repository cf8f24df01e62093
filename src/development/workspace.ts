import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileErrorReason } from '../file-error.ts';
import { FileContentError } from '../files/file-content-error.ts';
import { parsePrivateKeyFile } from '../files/private-key.ts';
import { OperatorError } from '../operator-error.ts';
import { CertificateError } from '../pki/certificate/certificate-error.ts';
import {
  type IssuanceOptions,
  issueCertificate,
  type KeyPairWithCertificate,
} from '../pki/certificate/issue-certificate.ts';
import { parseWithOpenssl } from '../pki/certificate/openssl-certificate.ts';
import { parseCertificateFile } from '../pki/certificate/pem.ts';
import { sha256Thumbprint } from '../pki/certificate/thumbprint.ts';

/** The folder with keys, certificates and clients for development. It is created at the first start and then reused. */
export interface Workspace {
  readonly folder: string;
  readonly ca: KeyPairWithCertificate;
  /** The path of the CA certificate. */
  readonly caFile: string;
  readonly server: KeyPairWithCertificate;
  readonly signingKeyPem: string;
  readonly clientsFile: string;
  /** The files that this start created. */
  readonly created: readonly string[];
}

const LEAF_DAYS = 365;
const CA_DAYS = 3650;
const ONE_DAY = 86_400_000;

/**
 * Opens the folder, and creates the files that are missing and the certificates that are about to expire.
 *
 * @param now milliseconds since the epoch
 * @throws {OperatorError} if the folder or a file in it cannot be used
 */
export async function openWorkspace(folder: string, now: number): Promise<Workspace> {
  try {
    return await fillWorkspace(folder, now);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError([`cannot use the folder ${folder}: ${fileErrorReason(error)}`]);
  }
}

async function fillWorkspace(folder: string, now: number): Promise<Workspace> {
  createFolder(folder);
  const files = new WorkspaceFiles(folder, now);
  const ca = await files.pair('ca', { purpose: 'ca', subject: [{ CN: ['Countersign development CA'] }] });
  const reissue = files.created.length > 0;
  const server = await files.pair('server', { purpose: 'server', ...LOCALHOST, issuer: ca }, reissue);
  await files.pair('client', { purpose: 'client', subject: CLIENT_SUBJECT, issuer: ca }, reissue);
  const selfSigned = await files.pair('self-signed', { purpose: 'client', subject: [{ CN: ['mtls.tb'] }] });
  const signingKeyPem = files.text('signing-key.pem', createSigningKey);
  files.text('clients.yaml', () => clientsYaml(selfSigned));
  const [caFile, clientsFile] = [join(folder, 'ca.pem'), join(folder, 'clients.yaml')];
  return { folder, ca, caFile, server, signingKeyPem, clientsFile, created: files.created };
}

/** The `recursive` option of Node.js never returns for folders that exist but report ENOENT (below /proc). */
function createFolder(folder: string): void {
  if (existsSync(folder)) return;
  createFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

const LOCALHOST = {
  subject: [{ CN: ['localhost'] }],
  dnsNames: ['localhost'],
  addresses: ['127.0.0.1', '::1'],
} satisfies Partial<IssuanceOptions>;

/** In DER order. In the form of RFC 4514, it is CN=mtls.client,OU=production,O=company. */
const CLIENT_SUBJECT = [{ O: ['company'] }, { OU: ['production'] }, { CN: ['mtls.client'] }];

type NewPair = Omit<IssuanceOptions, 'lifetimeDays' | 'now'>;

/** Reads files that exist, creates the others, and records which ones it created. */
class WorkspaceFiles {
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
    try {
      return parse(readFileSync(join(this.#folder, name)));
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
    const path = join(this.#folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  #write(name: string, content: string): string {
    writeFileSync(join(this.#folder, name), content, { mode: name.endsWith('key.pem') ? 0o600 : 0o644 });
    this.created.push(name);
    return content;
  }
}

function createSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function clientsYaml({ certificatePem }: KeyPairWithCertificate): string {
  const thumbprint = sha256Thumbprint(new X509Certificate(certificatePem).raw);
  return `# The clients and resources of the development server. Changes take effect within two seconds; the terminal confirms them or reports what is wrong.
clients:
  # Identified by its subject, in a certificate that the CA issued (RFC 8705, section 2.1).
  - client_id: mtls.client
    token_endpoint_auth_method: tls_client_auth
    tls_client_auth_subject_dn: CN=mtls.client,OU=production,O=company
    scope: api1
    audience: https://api.example

  # Identified by this exact certificate, with any issuer (RFC 8705, section 2.2).
  - client_id: mtls.tb
    token_endpoint_auth_method: self_signed_tls_client_auth
    certificates:
      - thumbprint: ${thumbprint}
        note: self-signed.pem
    scope: api1
    audience: https://api.example

# What the edge protects: here, https://localhost/api/.
resources:
  - name: api
    resource: https://api.example
    scope: api1
    binding: caller
`;
}
