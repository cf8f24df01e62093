import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '../support/certificates.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import type { HttpsFetch } from '../support/https-fetch.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** One deployment as the programs see it: the JSON that they read. */
export interface Scenario {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
  /** With which tokens are signed. */
  readonly algorithm: string;
  /** For libraries whose discovery fails. */
  readonly tokenEndpoint: string;
  /** The CA certificate of the server certificates, PEM. */
  readonly caFile: string;
  /** One for each client authentication method. */
  readonly clients: readonly ScenarioClient[];
}

export interface ScenarioClient {
  readonly method: 'tls_client_auth' | 'self_signed_tls_client_auth';
  readonly clientId: string;
  /** PEM. */
  readonly certFile: string;
  /** PKCS#8, PEM. */
  readonly keyFile: string;
}

export interface RunningScenario {
  readonly scenario: Scenario;
  readonly deployment: Deployment;
  /** Requests with the certificate of a client. */
  readonly fetchAs: (client: ScenarioClient) => HttpsFetch;
}

interface Setup {
  readonly name: string;
  readonly algorithm: string;
  /** The path of the issuer. */
  readonly path: string;
  readonly key: () => KeyObject;
}

const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ed25519 = () => generateKeyPairSync('ed25519').privateKey;

/** Each algorithm once, and each form of an issuer: without a path, with one, and with a trailing slash. */
const setups: readonly Setup[] = [
  { name: 'ES256', algorithm: 'ES256', path: '', key: ec },
  { name: 'RS256', algorithm: 'RS256', path: '/tenants/one', key: rsa },
  { name: 'PS256', algorithm: 'PS256', path: '', key: rsa },
  { name: 'EdDSA', algorithm: 'EdDSA', path: '/tenants/one', key: ed25519 },
  { name: 'trailing slash', algorithm: 'ES256', path: '/tenants/one/', key: ec },
  { name: 'trailing slash at the root', algorithm: 'ES256', path: '/', key: ec },
];

const audience = 'https://api.example';

/** Starts Redis, Countersign and the shipped nginx configuration for each scenario, with both clients registered. */
export async function startScenarios(): Promise<readonly RunningScenario[]> {
  const running: RunningScenario[] = [];
  for (const setup of setups) running.push(await startScenario(setup));
  return running;
}

async function startScenario({ name, algorithm, path, key }: Setup): Promise<RunningScenario> {
  const directory = temporaryDirectory();
  const keyFile = join(directory, 'signing-key.pem');
  writeFileSync(keyFile, key().export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const env = { COUNTERSIGN_SIGNING_KEY_FILE: keyFile, COUNTERSIGN_SIGNING_ALG: algorithm };
  const deployment = await startDeployment({ path, env });
  const clients = await registerClients(deployment, directory);
  const caFile = join(deployment.directory, 'server-ca.pem');
  const tokenEndpoint = `${deployment.mtlsUrl.replace(/\/$/, '')}/token`;
  const { issuer } = deployment;
  const fetchAs = ({ certFile, keyFile }: ScenarioClient) =>
    deployment.fetchAs({ pem: readFileSync(certFile, 'utf8'), privateKeyPem: readFileSync(keyFile, 'utf8') });
  return { deployment, fetchAs, scenario: { name, issuer, audience, algorithm, tokenEndpoint, caFile, clients } };
}

async function registerClients(deployment: Deployment, directory: string): Promise<ScenarioClient[]> {
  const own = selfSigned({ subject: [['CN', 'self-signed']] });
  const issued = deployment.ca.issue({ subject: [['CN', 'issued']] });
  const record = { scope: 'read write', audience };
  await deployment.register({
    ...record,
    client_id: 'issued client/1',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=issued',
  });
  await deployment.register({
    ...record,
    client_id: 'self-signed client/1',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    certificates: [{ thumbprint: own.thumbprint }],
  });
  return [
    clientOf('tls_client_auth', 'issued client/1', issued.writeTo(directory, 'issued')),
    clientOf('self_signed_tls_client_auth', 'self-signed client/1', own.writeTo(directory, 'self-signed')),
  ];
}

function clientOf(method: ScenarioClient['method'], clientId: string, { cert, key }: { cert: string; key: string }) {
  return { method, clientId, certFile: cert, keyFile: key };
}
