import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { findProgram, missingProgram } from '../../support/programs.ts';
import { runProgram } from '../../support/run-program.ts';
import type { Tree } from '../tree.ts';
import { type Contender, runningServer, untilItAccepts, type Workload } from './contender.ts';
import { type Output, type PinnedProcess, startPinned } from './pinned-process.ts';

export interface ServeOptions {
  readonly clients: 'file' | 'Redis';
  /** Where the audit log goes. Default: a pipe, as in a container. */
  readonly audit?: 'file' | 'pipe' | '/dev/null';
  /** Arguments of Node. */
  readonly nodeArguments?: readonly string[];
}

/** `countersign serve` of a revision, on a loopback port, with default settings. */
export function serve(tree: Tree, { clients, audit, nodeArguments = [] }: ServeOptions): Contender {
  const detail = audit === undefined ? clients : `audit to ${audit === '/dev/null' ? audit : `a ${audit}`}`;
  const name = `serve, ${detail}${tree.revision && ` (${tree.revision})`}`;
  return {
    name,
    start: async (shared) => {
      const workload = { ...shared, directory: mkdtempSync(join(shared.directory, 'serve-')) };
      const redis = clients === 'Redis' ? await startRedisWithClients(tree, workload) : undefined;
      const address = { host: '127.0.0.1', port: await freePort() };
      const output = auditOutput(audit ?? 'pipe', workload.directory);
      const server = startPinned(tree.node, [...nodeArguments, tree.program, 'serve'], {
        core: workload.cores.contender,
        env: { ...serveSettings(workload, address.port), ...clientStore(workload, redis) },
        output,
      });
      await untilItAccepts(name, address, server);
      const stop = async () => {
        await server.stop();
        await redis?.process.stop();
      };
      const audited = output.kind === 'pipe' && { audited: server.lines };
      return { ...runningServer(name, address, server), ...audited, stop };
    },
  };
}

/** The settings of `serve`, except for its client store. */
export function serveSettings(workload: Workload, port: number): Record<string, string> {
  return {
    COUNTERSIGN_ISSUER: 'https://auth.example',
    COUNTERSIGN_MTLS_URL: 'https://mtls.auth.example',
    COUNTERSIGN_TERMINATOR: 'nginx',
    COUNTERSIGN_LISTEN: `127.0.0.1:${port}`,
    COUNTERSIGN_OPERATIONS_LISTEN: 'off',
    COUNTERSIGN_SIGNING_KEY_FILE: workload.signingKeyFile,
    COUNTERSIGN_SIGNING_ALG: workload.algorithm,
    COUNTERSIGN_CLIENT_CA_FILE: workload.clientCaFile,
  };
}

/** The settings of the client store: Redis, or the file. */
export function clientStore({ clientsFile }: Workload, redis: RedisWithClients | undefined): Record<string, string> {
  return redis ? { COUNTERSIGN_REDIS_URL: redis.url } : { COUNTERSIGN_CLIENTS_FILE: clientsFile };
}

function auditOutput(audit: 'file' | 'pipe' | '/dev/null', directory: string): Output {
  if (audit === 'pipe') return { kind: 'pipe' };
  return { kind: 'file', path: audit === 'file' ? join(directory, 'audit.log') : '/dev/null' };
}

interface RedisWithClients {
  readonly url: string;
  readonly process: PinnedProcess;
}

/** A Redis without persistence, with the records of the clients. */
export async function startRedisWithClients(tree: Tree, workload: Workload): Promise<RedisWithClients> {
  const program = findProgram('redis-server');
  if (program === undefined) throw new Error(missingProgram('redis-server'));
  const address = { host: '127.0.0.1', port: await freePort() };
  const memoryOnly = ['--save', '', '--appendonly', 'no', '--dir', workload.directory];
  const args = ['--bind', address.host, '--port', String(address.port), ...memoryOnly];
  const redis = startPinned(program, args, { core: workload.cores.load });
  await untilItAccepts('redis-server', address, redis);
  const url = `redis://${address.host}:${address.port}`;
  const apply = [tree.program, 'clients', 'apply', '-f', workload.clientsFile];
  const { code, stderr } = await runProgram(tree.node, apply, { env: { COUNTERSIGN_REDIS_URL: url } });
  if (code !== 0) throw new Error(`clients apply: exit code ${code}\n${stderr}`);
  return { url, process: redis };
}
