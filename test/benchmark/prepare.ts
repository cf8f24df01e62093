import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SigningAlgorithm } from '../../src/tokens/algorithms/signing-algorithm.ts';
import { createTestCa, type MintedCertificate, type TestCa } from '../support/certificates.ts';
import { keyPair } from '../support/keys.ts';
import type { Workload } from './contenders/contender.ts';
import type { Cores } from './machine.ts';

/** The clients of a case, and the CA that issued their certificates. */
export interface Preparation {
  readonly workload: Workload;
  readonly clientIds: readonly string[];
  /** Issues another certificate of a client. */
  readonly issue: (clientId: string) => MintedCertificate;
}

export interface PreparationOptions {
  readonly directory: string;
  readonly cores: Cores;
  readonly clients: number;
  readonly algorithm: SigningAlgorithm;
}

/** Writes the signing key, the CA certificate and the client records that every contender of a case reads. */
export function prepare({ directory: parent, cores, clients, algorithm }: PreparationOptions): Preparation {
  const directory = mkdtempSync(join(parent, 'case-'));
  const write = (name: string, content: string) => {
    writeFileSync(join(directory, name), content, { mode: 0o600 });
    return join(directory, name);
  };
  const ca = createTestCa();
  const clientIds = Array.from({ length: clients }, (_, index) => `device-${String(index).padStart(5, '0')}`);
  const issue = issuerOf(ca);
  const [firstClientId = ''] = clientIds;
  const workload = {
    cores,
    directory,
    algorithm,
    signingKeyFile: write('signing-key.pem', signingKey(algorithm).export({ type: 'pkcs8', format: 'pem' }).toString()),
    clientCaFile: write('client-ca.pem', ca.pem),
    clientsFile: write('clients.json', JSON.stringify(clientIds.map(recordOf))),
    firstClientId,
    clientCertificate: issue(firstClientId),
  };
  return { workload, clientIds, issue };
}

function recordOf(clientId: string): object {
  return {
    client_id: clientId,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: sanOf(clientId),
    scope: 'read write',
  };
}

const sanOf = (clientId: string) => `${clientId}.devices.example`;

/** All certificates have the same key: what differs between new certificates is the serial number and the signature. */
function issuerOf(ca: TestCa): Preparation['issue'] {
  const keys = keyPair('ec-p256', { reuse: true });
  return (clientId) => ca.issue({ keys, subject: [['CN', clientId]], dns: [sanOf(clientId)] });
}

function signingKey(algorithm: SigningAlgorithm): KeyObject {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519').privateKey;
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}
