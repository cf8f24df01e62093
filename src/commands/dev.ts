import { randomBytes } from 'node:crypto';
import { isAbsolute, join, relative } from 'node:path';
import { styleText } from 'node:util';
import { readClientsFiles } from '../clients/files/read-clients-files.ts';
import { readConfig } from '../config.ts';
import { consoleRestoredLine, createConsoleLog } from '../development/console-log.ts';
import { startEmbeddedTerminator } from '../development/embedded-terminator.ts';
import { openWorkspace, type Workspace } from '../development/workspace.ts';
import { describeListenAddress } from '../http/listen-address.ts';
import { LogOutput } from '../observability/log-output.ts';
import { createLogs } from '../observability/logs.ts';
import { type Service, startService } from '../service/service.ts';
import type { Environment } from '../settings/settings.ts';
import { printProblem } from './output/errors.ts';
import { untilStopped } from './signals.ts';

export interface DevOptions {
  readonly port: number;
  readonly folder: string;
}

const VERIFY_HEADER = 'x-ssl-client-verify';

/** `countersign dev`: the server behind an embedded terminator, with a throw-away CA. Not for production. */
export async function dev({ port, folder }: DevOptions, env: Environment): Promise<void> {
  const stopped = untilStopped();
  const workspace = await openWorkspace(folder, Date.now());
  const proxySecret = randomBytes(32).toString('hex');
  const config = readConfig({
    COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS: env.COUNTERSIGN_ALLOW_SHA1_THUMBPRINTS,
    COUNTERSIGN_ISSUER: `https://localhost:${port}`,
    COUNTERSIGN_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_OPERATIONS_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_EDGE_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_TERMINATOR: 'rfc9440',
    COUNTERSIGN_VERIFY_HEADER: VERIFY_HEADER,
    COUNTERSIGN_CLIENT_CA_FILE: workspace.caFile,
    COUNTERSIGN_PROXY_SECRET: proxySecret,
    COUNTERSIGN_CLIENTS_FILE: workspace.clientsFile,
    COUNTERSIGN_SIGNING_KEY: workspace.signingKeyPem,
  });
  // The user did not configure the file, so errors name the file and not a setting.
  const clients = { store: 'memory', file: workspace.clientsFile, setting: undefined } as const;
  const output = new LogOutput({ restoredLine: consoleRestoredLine, onOutage: printProblem });
  process.on('exit', () => output.flush());
  const print = (text: string) => output.append(`${text}\n`);
  const logs = createLogs({ log: createConsoleLog(print), decisions: [output] });
  const service = await startService({ ...config, clients }, logs);
  const { address, edgeAddress } = service;
  if (address.kind !== 'tcp' || edgeAddress?.kind !== 'tcp') throw new Error('the development server listens on TCP');
  const { server, ca } = workspace;
  const terminator = await startEmbeddedTerminator({
    port,
    server,
    ca,
    upstream: address,
    edge: edgeAddress,
    proxySecret,
    verifyHeader: VERIFY_HEADER,
  });
  print(await greeting(port, workspace, service.operationsAddress));
  await stopped;
  await terminator.close();
  await service.close();
}

async function greeting(port: number, workspace: Workspace, operations: Service['operationsAddress']): Promise<string> {
  const folder = displayPath(workspace.folder);
  const state =
    workspace.created.length > 0 ? `created ${workspace.created.join(', ')}` : 'unchanged since the last start';
  return [
    '',
    `${styleText('bold', 'Countersign')} listens on ${styleText('bold', `https://localhost:${port}`)}`,
    styleText('yellow', 'For development only: the CA and all keys are throw-away. Do not use it in production.'),
    '',
    `${folder}/: ${state}`,
    `Clients are in ${folder}/clients.yaml; changes take effect within two seconds and are logged below.`,
    ...(await recordLines(port, workspace)),
    ...(operations ? doctorLines(port, workspace, describeListenAddress(operations)) : []),
    '',
    'Press Ctrl-C to stop. Every token request and every new check of the edge is logged below.',
    '',
  ].join('\n');
}

const seedClients = [
  { clientId: 'mtls.client', files: 'client', identifiedBy: 'its subject in a certificate of the CA' },
  { clientId: 'mtls.tb', files: 'self-signed', identifiedBy: 'its self-signed certificate' },
] as const;

/** A command for each client and resource of a new workspace that is still registered. */
async function recordLines(port: number, { folder, clientsFile }: Workspace): Promise<string[]> {
  const { clients, resources } = await readClientsFiles(
    [clientsFile],
    { allowSha1Thumbprints: true, requireCaPin: false, allowUnboundEdgeTokens: false, anchors: [], intermediates: [] },
    Date.now(),
  );
  const registered = new Set(clients.map(({ clientId }) => clientId));
  const isProtected = resources.some(({ name }) => name === 'api');
  return [...clientLines(port, folder, registered), ...(isProtected ? edgeLines(port, folder) : [])];
}

function clientLines(port: number, folder: string, registered: ReadonlySet<string>): string[] {
  return seedClients
    .filter(({ clientId }) => registered.has(clientId))
    .flatMap(({ clientId, files, identifiedBy }) => {
      const certificate = certificateOptions(folder, files);
      const form = `-d grant_type=client_credentials -d client_id=${clientId} -d scope=api1`;
      const command = `curl ${certificate} https://localhost:${port}/token ${form}`;
      return ['', `${styleText('bold', clientId)}, identified by ${identifiedBy}:`, styleText('cyan', command)];
    });
}

/** How to send a request to the API behind the edge. */
function edgeLines(port: number, folder: string): string[] {
  const command = `curl ${certificateOptions(folder, 'client')} https://localhost:${port}/api/orders`;
  return ['', styleText('bold', 'An API behind the edge, which receives a token:'), styleText('cyan', command)];
}

/** How to run the doctor against this server. */
function doctorLines(port: number, { folder }: Workspace, operations: string): string[] {
  const certificate = certificateOptions(folder, 'client');
  const command = `npx countersign doctor --url https://localhost:${port} ${certificate} --operations ${operations}`;
  return ['', styleText('bold', 'Check that spoofed certificate headers are rejected:'), styleText('cyan', command)];
}

/** Options of both curl and the doctor. */
function certificateOptions(folder: string, files: string): string {
  const path = (name: string) => shellQuote(displayPath(join(folder, name)));
  return `--cacert ${path('ca.pem')} --cert ${path(`${files}.pem`)} --key ${path(`${files}-key.pem`)}`;
}

function displayPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
}

function shellQuote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
