import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileErrorReason } from '../errors/file-error.ts';
import { OperatorError } from '../errors/operator-error.ts';
import type { IssuanceOptions, KeyPairWithCertificate } from '../pki/certificate/issue-certificate.ts';
import { sha256Thumbprint } from '../pki/certificate/thumbprint.ts';
import { WorkspaceFiles } from './workspace-files.ts';

/** The folder with keys, certificates and clients for development. It is created at the first start and then reused. */
export interface Workspace {
  readonly folder: string;
  readonly ca: KeyPairWithCertificate;
  /** The path of the CA certificate. */
  readonly caFile: string;
  readonly server: KeyPairWithCertificate;
  readonly signingKeyPem: string;
  readonly clientsFile: string;
  /** The certificate and the key of `mtls.client` in one file. */
  readonly pkcs12File: string;
  /** The files that this start created. */
  readonly created: readonly string[];
}

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
    throw new OperatorError([
      `cannot use the folder ${folder}: ${fileErrorReason(error)}; name another one with --folder`,
    ]);
  }
}

async function fillWorkspace(folder: string, now: number): Promise<Workspace> {
  createFolder(folder);
  const files = new WorkspaceFiles(folder, now);
  const ca = await files.pair('ca', { purpose: 'ca', subject: [{ CN: ['Countersign development CA'] }] });
  const reissue = files.created.length > 0;
  const server = await files.pair('server', { purpose: 'server', ...LOCALHOST, issuer: ca }, reissue);
  const client = await files.pair('client', { purpose: 'client', subject: CLIENT_SUBJECT, issuer: ca }, reissue);
  const pkcs12File = files.pkcs12('client.p12', client);
  const selfSigned = await files.pair('self-signed', { purpose: 'client', subject: [{ CN: ['mtls.tb'] }] });
  const signingKeyPem = files.text('signing-key.pem', createSigningKey);
  files.text('clients.yaml', () => clientsYaml(selfSigned));
  const [caFile, clientsFile] = [join(folder, 'ca.pem'), join(folder, 'clients.yaml')];
  return { folder, ca, caFile, server, signingKeyPem, clientsFile, pkcs12File, created: files.created };
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
