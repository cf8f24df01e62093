import { randomBytes } from 'node:crypto';
import { styleText } from 'node:util';
import { describeDiagnostic } from '../clients/files/diagnostics.ts';
import { readClientsFiles } from '../clients/files/read-clients-files.ts';
import { policyWithoutSettings } from '../clients/registration-policy.ts';
import { readConfig } from '../config.ts';
import { consoleRestoredLine, createConsoleLog } from '../development/console-log.ts';
import { startEmbeddedTerminator } from '../development/embedded-terminator.ts';
import { displayPath, doctorExample, type Example, examplesFor } from '../development/examples.ts';
import { createHome, type HomeRecords } from '../development/home.ts';
import { createLastToken } from '../development/last-token.ts';
import { trustExamples } from '../development/trust-ca.ts';
import { openWorkspace, type Workspace } from '../development/workspace.ts';
import { PKCS12_PASSWORD } from '../development/workspace-files.ts';
import { documentationUrl } from '../documentation.ts';
import { describeListenAddress } from '../http/listen-address.ts';
import type { OnMalformed } from '../http/malformed-requests.ts';
import { createLineBudget } from '../observability/line-budget.ts';
import type { Log } from '../observability/log.ts';
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
  let service: Service | undefined;
  const stopped = untilStopped({ reload: () => void service?.reload(), ignore: () => {}, abort: () => {} });
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
  const log = createConsoleLog(print);
  const logs = createLogs({ log, decisions: [output] });
  service = await startService({ ...config, clients }, logs);
  const { address, edgeAddress, operationsAddress, decisions } = service;
  if (address.kind !== 'tcp' || edgeAddress?.kind !== 'tcp') throw new Error('the development server listens on TCP');
  if (!operationsAddress || !decisions) throw new Error('the development server has an operations listener');
  decisions.watch(Number.POSITIVE_INFINITY);
  const operations = describeListenAddress(operationsAddress);
  const readRecords = () => readDevelopmentRecords(port, workspace);
  const { issuer } = config;
  const lastToken = createLastToken();
  const terminator = await startEmbeddedTerminator({
    port,
    server: workspace.server,
    ca: workspace.ca,
    upstream: address,
    edge: edgeAddress,
    proxySecret,
    verifyHeader: VERIFY_HEADER,
    home: createHome({
      issuer,
      operations,
      decisions,
      lastToken,
      trust: trustExamples(workspace),
      pkcs12: describePkcs12(workspace),
      readRecords,
    }),
    onTokenResponse: lastToken.onResponse,
    onFailedHandshake: logHandshakes(log),
  });
  const { examples } = await readRecords();
  // npm sets this variable, also for npx.
  const countersign = env.npm_command === undefined ? 'countersign' : 'npx countersign';
  print(greeting(port, workspace, [...examples, doctorExample(port, workspace, operations, countersign)]));
  await stopped;
  await terminator.close();
  await service.close();
}

/** Logs why the handshakes of clients fail, but not all of those that fail at once. */
function logHandshakes(log: Log): OnMalformed {
  const countLeftOut = createLineBudget(() => performance.now());
  return ({ code, reason }, { remoteAddress: peer }) => {
    if (countLeftOut() === undefined) return;
    log.warn({ event: 'request_malformed', code, reason, peer }, 'connection closed');
  };
}

/** The records of the clients file, and what to try with them. */
async function readDevelopmentRecords(port: number, workspace: Workspace): Promise<HomeRecords> {
  const { clients, resources, errors } = await readClientsFiles(
    [workspace.clientsFile],
    policyWithoutSettings,
    Date.now(),
  );
  return {
    clients,
    examples: examplesFor(port, workspace, { clients, resources }),
    errors: errors.map((error) => describeDiagnostic({ ...error, file: displayPath(error.file) })),
  };
}

function greeting(port: number, workspace: Workspace, examples: readonly Example[]): string {
  const folder = displayPath(workspace.folder);
  const state =
    workspace.created.length > 0 ? `created ${workspace.created.join(', ')}` : 'unchanged since the last start';
  return [
    '',
    `${styleText('bold', 'Countersign')} listens on ${styleText('bold', `https://localhost:${port}`)}, which is also a page for your browser`,
    styleText('yellow', 'For development only: the CA and all keys are throw-away. Do not use it in production.'),
    '',
    `${folder}/: ${state}`,
    `Clients are in ${folder}/clients.yaml; changes take effect within two seconds and are logged below.`,
    ...examples.flatMap(({ title, command }) => ['', styleText('bold', title), styleText('cyan', command)]),
    '',
    ...trustInPrograms(workspace),
    '',
    'Press Ctrl-C to stop. Every token request and every new check of the edge is logged below.',
    '',
  ].join('\n');
}

const LANGUAGE_WIDTH = 9;

/** At most 80 columns, with a folder of the usual length. */
function trustInPrograms(workspace: Workspace): readonly string[] {
  const rows = trustExamples(workspace).flatMap(({ language, lines }) =>
    lines.map((line, index) => `  ${(index === 0 ? language : '').padEnd(LANGUAGE_WIDTH)}${styleText('cyan', line)}`),
  );
  return [
    `mtls.client for .NET and Java: ${describePkcs12(workspace)}`,
    styleText('bold', `Trust the CA in a program (${documentationUrl('development.md')} has it in code):`),
    ...rows,
  ];
}

function describePkcs12({ pkcs12File }: Workspace): string {
  return `${displayPath(pkcs12File)}, password ${PKCS12_PASSWORD}`;
}
