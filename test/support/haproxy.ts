import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { EdgeProxyOptions } from './edge-proxies.ts';
import { programPath } from './program-path.ts';
import { runProgram } from './run-program.ts';
import type { RunningTerminator, ShippedTerminatorOptions } from './shipped-terminator.ts';
import { shippedFiles } from './shipped-text.ts';
import { startListener } from './start-listener.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface HaproxyOptions {
  /** A whole configuration. */
  readonly configuration: string;
  /** Loopback ports that it listens on. */
  readonly ports: readonly number[];
  /** Where its own folder goes. Default: a new one. */
  readonly directory?: string;
}

/** HAProxy would share a port with whoever has it already, and get every other connection. */
const testGlobal = 'global\n    noreuseport\n';

/**
 * Runs the real HAProxy. As it ends by SIGTERM, the exit code is 143.
 * @throws {Error} with the output of `haproxy -c`
 */
export async function startHaproxy(options: HaproxyOptions): Promise<RunningTerminator> {
  const { configuration, ports, directory = temporaryDirectory() } = options;
  const folder = mkdtempSync(join(directory, 'haproxy-'));
  const files = { 'test.cfg': testGlobal, 'haproxy.cfg': configuration };
  const args = writeFiles(folder, files).flatMap((path) => ['-f', path]);
  const command = programPath('haproxy');
  const { code, stderr } = await runProgram(command, ['-c', ...args]);
  if (code !== 0) throw new Error(`HAProxy rejects the configuration:\n${stderr}`);
  return startListener({ command, args: ['-db', ...args], ports });
}

/** The same with `deploy/terminators/haproxy.cfg`, and with a line on stderr for each handshake that fails. */
export function startShippedHaproxy(options: ShippedTerminatorOptions): Promise<RunningTerminator> {
  const { directory, port, socket, replace = [] } = options;
  const folder = mkdtempSync(join(directory, 'haproxy-files-'));
  const logging = 'log stderr format raw local0\n    option dontlog-normal';
  const { [paths.configuration]: configuration = '', [paths.list]: list = '' } = shippedFiles(Object.values(paths), [
    ...replace,
    ['/etc/haproxy/countersign/', `${folder}/`],
    ['defaults countersign', `defaults countersign\n    ${logging}`],
    ['bind :443', `bind 127.0.0.1:${port}`],
    ['unix@/run/countersign/countersign.sock', upstreamAddress(socket)],
  ]);
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  const withKey = (name: string) => `${read(`${name}.pem`)}${read(`${name}-key.pem`)}`;
  writeFiles(folder, {
    'auth.example.pem': withKey('auth.example'),
    'mtls.auth.example.pem': withKey('mtls.auth.example'),
    'client-ca.pem': read('client-ca.pem'),
    [basename(paths.list)]: list,
  });
  return startHaproxy({ configuration, directory, ports: [port] });
}

/** The same with `deploy/edge/haproxy.cfg` and its Lua action. */
export function startShippedHaproxyEdge(options: EdgeProxyOptions): Promise<RunningTerminator> {
  const { directory, port, edge, upstream, replace = [] } = options;
  const folder = mkdtempSync(join(directory, 'haproxy-files-'));
  const logging = 'log stderr format raw local0';
  const { [edgePaths.configuration]: configuration = '', [edgePaths.action]: action = '' } = shippedFiles(
    Object.values(edgePaths),
    [
      ...replace,
      ['/etc/haproxy/countersign/', `${folder}/`],
      ['\nglobal\n', `\nglobal\n    ${logging}\n`],
      ['defaults countersign-edge', `defaults countersign-edge\n    ${logging}\n    option dontlog-normal`],
      ['bind :443', `bind 127.0.0.1:${port}`],
      ['unix@/run/countersign/edge.sock', upstreamAddress(edge)],
      ['server api 127.0.0.1:8080', `server api ${new URL(upstream).host}`],
    ],
  );
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  writeFiles(folder, {
    'api.example.pem': `${read('api.example.pem')}${read('api.example-key.pem')}`,
    'client-ca.pem': read('client-ca.pem'),
    [basename(edgePaths.action)]: action,
  });
  return startHaproxy({ configuration, directory, ports: [port] });
}

const edgePaths = { configuration: 'deploy/edge/haproxy.cfg', action: 'deploy/edge/haproxy.lua' } as const;
const paths = { configuration: 'deploy/terminators/haproxy.cfg', list: 'deploy/terminators/haproxy.crt-list' } as const;

function upstreamAddress(socket: string): string {
  return socket.startsWith('unix:') ? `unix@${socket.slice('unix:'.length)}` : new URL(socket).host;
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): string[] {
  return Object.entries(files).map(([name, text]) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  });
}
