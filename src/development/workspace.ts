import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '../operator-error.ts';
import {
  type IssuanceOptions,
  issueCertificate,
  type KeyPairWithCertificate,
} from '../pki/certificate/issue-certificate.ts';
import { sha256Thumbprint } from '../pki/certificate/thumbprint.ts';

/** The folder with what a developer needs: made at the first start, used again at every other. */
export interface Workspace {
  readonly folder: string;
  readonly ca: KeyPairWithCertificate;
  /** The path of its certificate. */
  readonly caFile: string;
  readonly server: KeyPairWithCertificate;
  readonly signingKeyPem: string;
  readonly clientsFile: string;
  /** Files that this start made. */
  readonly made: readonly string[];
}

const LEAF_DAYS = 365;
const AUTHORITY_DAYS = 3650;
const ONE_DAY = 86_400_000;

/**
 * Opens the folder, and makes what is missing in it or about to expire.
 *
 * @param now milliseconds since the epoch
 * @throws {OperatorError} when the folder or a file in it cannot be used
 */
export async function openWorkspace(folder: string, now: number): Promise<Workspace> {
  try {
    return await fill(folder, now);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new OperatorError([`cannot use the folder ${folder}: ${detail}`]);
  }
}

async function fill(folder: string, now: number): Promise<Workspace> {
  makeFolder(folder);
  const files = new WorkspaceFiles(folder, now);
  const authority = await files.pair('ca', { purpose: 'ca', subject: [{ CN: ['Countersign development CA'] }] });
  const reissue = files.made.length > 0;
  const server = await files.pair('server', { purpose: 'server', ...LOCALHOST, issuer: authority }, reissue);
  await files.pair('client', { purpose: 'client', subject: CLIENT_SUBJECT, issuer: authority }, reissue);
  const selfSigned = await files.pair('self-signed', { purpose: 'client', subject: [{ CN: ['mtls.tb'] }] });
  const signingKeyPem = files.text('signing-key.pem', makeSigningKey);
  files.text('clients.yaml', () => clientsYaml(selfSigned));
  const [caFile, clientsFile] = [join(folder, 'ca.pem'), join(folder, 'clients.yaml')];
  return { folder, ca: authority, caFile: caFile, server, signingKeyPem, clientsFile, made: files.made };
}

/** Node.js' own way with those above it never ends where the system says of a folder that is there that it is not (/proc). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

const LOCALHOST = {
  subject: [{ CN: ['localhost'] }],
  dnsNames: ['localhost'],
  addresses: ['127.0.0.1', '::1'],
} satisfies Partial<IssuanceOptions>;

/** In the order of the DER: the RFC 4514 text is CN=mtls.client,OU=production,O=company. */
const CLIENT_SUBJECT = [{ O: ['company'] }, { OU: ['production'] }, { CN: ['mtls.client'] }];

type Wanted = Omit<IssuanceOptions, 'lifetimeDays' | 'now'>;

/** Reads what is there and makes what is not, and remembers what it made. */
class WorkspaceFiles {
  readonly made: string[] = [];
  readonly #folder: string;
  readonly #now: number;

  constructor(folder: string, now: number) {
    this.#folder = folder;
    this.#now = now;
  }

  /** A certificate with its key, from `NAME.pem` and `NAME-key.pem`. */
  async pair(name: string, wanted: Wanted, reissue = false): Promise<KeyPairWithCertificate> {
    const stored = reissue ? undefined : this.#storedPair(name);
    if (stored) return stored;
    const lifetimeDays = wanted.purpose === 'ca' ? AUTHORITY_DAYS : LEAF_DAYS;
    const pair = await issueCertificate({ ...wanted, lifetimeDays, now: this.#now });
    this.#write(`${name}.pem`, pair.certificatePem);
    this.#write(`${name}-key.pem`, pair.privateKeyPem);
    return pair;
  }

  text(name: string, make: () => string): string {
    return this.#read(name) ?? this.#write(name, make());
  }

  #storedPair(name: string): KeyPairWithCertificate | undefined {
    const certificatePem = this.#read(`${name}.pem`);
    const privateKeyPem = this.#read(`${name}-key.pem`);
    if (certificatePem === undefined || privateKeyPem === undefined) return undefined;
    return this.#lastsAnotherDay(`${name}.pem`, certificatePem) ? { certificatePem, privateKeyPem } : undefined;
  }

  #lastsAnotherDay(name: string, pem: string): boolean {
    try {
      return new X509Certificate(pem).validToDate.getTime() > this.#now + ONE_DAY;
    } catch {
      throw new OperatorError([`${join(this.#folder, name)} is not a certificate: delete it, and it is made anew`]);
    }
  }

  #read(name: string): string | undefined {
    const path = join(this.#folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  #write(name: string, content: string): string {
    writeFileSync(join(this.#folder, name), content, { mode: name.endsWith('key.pem') ? 0o600 : 0o644 });
    this.made.push(name);
    return content;
  }
}

function makeSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function clientsYaml({ certificatePem }: KeyPairWithCertificate): string {
  const thumbprint = sha256Thumbprint(new X509Certificate(certificatePem).raw);
  return `# The clients of the development server. What you change here is in force within two seconds; its terminal says so, or what is wrong.
clients:
  # By its name: a certificate that the CA issued for this subject (RFC 8705, section 2.1).
  - client_id: mtls.client
    token_endpoint_auth_method: tls_client_auth
    tls_client_auth_subject_dn: CN=mtls.client,OU=production,O=company
    scope: api1
    audience: https://api.example

  # By its certificate: this one and no other, whoever issued it (RFC 8705, section 2.2).
  - client_id: mtls.tb
    token_endpoint_auth_method: self_signed_tls_client_auth
    certificates:
      - thumbprint: ${thumbprint}
        note: self-signed.pem
    scope: api1
    audience: https://api.example
`;
}
