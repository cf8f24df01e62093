import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Decision } from './authorization-server.ts';
import { createTestCa, type MintedCertificate, selfSigned } from './certificates.ts';
import { type LogLine, type RunningCountersign, startCountersign } from './countersign.ts';
import { eventually } from './eventually.ts';
import { exact } from './forged-headers.ts';
import { type RawOptions, requestBytes, sendRequest } from './raw-http.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** The DNS name in the server certificate. */
export const serverName = 'countersign.internal';

/** The client that others try to impersonate: `chained` is registered by its subject, `self-signed` by its certificate. */
export const victim = selfSigned({ subject: [['CN', 'victim']] });
export const clientIds = ['chained', 'self-signed'] as const;

const issuer = createTestCa({ subject: [['CN', 'Server CA']] });
/** The CA certificate of the server certificate, PEM. */
export const serverCa = issuer.pem;

/** The real `countersign serve` with an HTTPS port, or with an HTTP port if `env` unsets the server certificate. */
export interface HttpsServer extends RunningCountersign {
  /** Sends the headers of nginx for the victim directly to the port, and waits for the audit event. */
  readonly ask: (clientId: string, options?: DirectOptions) => Promise<Decision>;
  /** Sends a request, and waits for its only audit event. */
  readonly decide: <T>(send: () => Promise<T>) => Promise<{ response: T; event: LogLine }>;
}

interface DirectOptions extends Pick<RawOptions, 'localAddress'> {
  readonly tls?: RawOptions['tls'];
  /** In addition to the victim's certificate and its verification result. */
  readonly lines?: readonly string[];
}

export async function startHttpsServer(env: Readonly<Record<string, string>> = {}): Promise<HttpsServer> {
  const countersign = await startCountersign({ env: { ...environment(temporaryDirectory()), ...env } });
  const decide: HttpsServer['decide'] = async (send) => {
    const seen = countersign.auditEvents().length;
    const response = await send();
    await eventually(
      () => countersign.auditEvents().length > seen,
      () => 'the request has no audit event',
    );
    const [event, ...others] = countersign.auditEvents().slice(seen);
    if (!event || others.length > 0) throw new Error(`${1 + others.length} audit events for one request`);
    return { response, event };
  };
  const ask: HttpsServer['ask'] = (clientId, { tls, lines = [], ...from } = {}) => {
    const body = { grant_type: 'client_credentials', client_id: clientId };
    const request = { lines: [...exact(victim), ...lines, 'Connection: close'], body };
    return decide(() => sendRequest(countersign.url, request, { tls: { ca: serverCa, ...tls }, ...from }));
  };
  return { ...countersign, ask, decide };
}

/** The environment of {@link startHttpsServer}, with its files in this folder. */
function environment(directory: string): Record<string, string> {
  const { cert, key } = issuer.issue({ eku: 'server', dns: ['localhost', serverName] }).writeTo(directory, 'server');
  const clients = join(directory, 'clients.json');
  const chained = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=victim' };
  const own = {
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    certificates: [{ thumbprint: victim.thumbprint }],
  };
  writeFileSync(
    clients,
    JSON.stringify([
      { client_id: 'chained', ...chained },
      { client_id: 'self-signed', ...own },
    ]),
  );
  const { privateKey } = generateKeyPairSync('ed25519');
  return {
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_CHAIN_VERIFIED_BY: 'header',
    COUNTERSIGN_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_SIGNING_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    COUNTERSIGN_CLIENTS_FILE: clients,
    COUNTERSIGN_TLS_CERTIFICATE_FILE: cert,
    COUNTERSIGN_TLS_KEY_FILE: key,
  };
}

/** A token request as nginx would forward the victim's, on a connection that stays open. */
export const tokenRequest = (clientId: string, ...lines: readonly string[]): Uint8Array =>
  requestBytes({
    lines: [...exact(victim), ...lines],
    body: { grant_type: 'client_credentials', client_id: clientId },
  });

/** For HTTP: a variable that is set to nothing is not set. */
export const withoutTls = { COUNTERSIGN_TLS_CERTIFICATE_FILE: '', COUNTERSIGN_TLS_KEY_FILE: '' };

/** A certificate and its key as Node's TLS client takes them. */
export function identityOf({ pem, privateKeyPem }: MintedCertificate): { cert: string; key: string } {
  return { cert: pem, key: privateKeyPem };
}
