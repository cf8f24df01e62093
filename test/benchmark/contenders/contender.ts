import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { SigningAlgorithm } from '../../../src/tokens/algorithms/signing-algorithm.ts';
import { acceptsConnections } from '../../support/accepts-connections.ts';
import type { MintedCertificate } from '../../support/certificates.ts';
import { tokenRequest } from '../load/token-request.ts';
import type { Cores } from '../machine.ts';
import type { PinnedProcess } from './pinned-process.ts';

/** What every contender of a case is configured with. Files are absolute paths. */
export interface Workload {
  readonly cores: Cores;
  /** A directory for files of the contender. */
  readonly directory: string;
  readonly algorithm: SigningAlgorithm;
  /** PKCS #8. */
  readonly signingKeyFile: string;
  readonly clientCaFile: string;
  /** Client records, JSON. */
  readonly clientsFile: string;
  readonly firstClientId: string;
  /** Of the first client. */
  readonly clientCertificate: MintedCertificate;
}

/** A server that issues tokens, and that a case measures. */
export interface Contender {
  readonly name: string;
  /** Those that it signs with as it is configured here. Default: all. */
  readonly algorithms?: readonly SigningAlgorithm[];
  readonly start: (workload: Workload) => Promise<RunningContender>;
}

export interface RunningContender {
  readonly name: string;
  /** The loopback port of the server itself. */
  readonly port: number;
  /** Opens a connection for requests. */
  readonly connect: () => Socket;
  /** Replaces the requests of the case, for a server with another protocol. */
  readonly request?: Uint8Array;
  /** For a server that compiles its code while it runs: at least this many before the first round. */
  readonly warmUpRequests?: number;
  /** The processes whose CPU time counts. */
  readonly pids: readonly number[];
  /** Of the TLS terminator in front of it, if there is one. */
  readonly terminatorPids?: readonly number[];
  readonly lastOutput: () => string;
  /** How many decisions it has audited, if that is known. */
  readonly audited?: () => number;
  readonly stop: () => Promise<void>;
}

/** Keycloak takes more than a minute on one core. */
const START_LIMIT_MILLISECONDS = 300_000;

/** @throws {Error} with its output, if the process exits or does not accept connections in time */
export async function untilItAccepts(name: string, address: NetConnectOpts, process: PinnedProcess): Promise<void> {
  const start = performance.now();
  while (!(await acceptsConnections(address))) {
    if (process.hasExited()) throw new Error(`${name} has exited:\n${process.lastOutput()}`);
    if (performance.now() - start > START_LIMIT_MILLISECONDS) {
      throw new Error(`${name} does not accept connections:\n${process.lastOutput()}`);
    }
    await delay(20);
  }
}

/** A loopback port of a contender. */
export interface PortAddress {
  readonly host: string;
  readonly port: number;
}

/** A contender that is one process, which accepts connections at this address. */
export function runningServer(name: string, address: PortAddress, server: PinnedProcess): RunningContender {
  const { pid, lastOutput, stop } = server;
  return { name, port: address.port, connect: () => connect(address), pids: [pid], lastOutput, stop };
}

/** @throws {Error} if a request that configures a contender fails */
export async function requireSuccess(name: string, pending: Promise<Response>): Promise<Response> {
  const response = await pending;
  if (!response.ok) throw new Error(`${name}: ${response.url}: ${response.status} ${await response.text()}`);
  return response;
}

export function supports({ algorithms }: Contender, algorithm: SigningAlgorithm): boolean {
  return algorithms === undefined || algorithms.includes(algorithm);
}

/** The same contender, with all its clients, but with requests of the first one only. */
export function forFirstClient({ name, start }: Contender): Contender {
  const nameOfOne = `${name}, only one client`;
  return {
    name: nameOfOne,
    start: async (workload) => ({
      ...(await start(workload)),
      name: nameOfOne,
      request: tokenRequest(workload.firstClientId, workload.clientCertificate),
    }),
  };
}
