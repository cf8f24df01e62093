import { mkdirSync, writeFileSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { dirname, join } from 'node:path';
import { acceptsConnections } from './accepts-connections.ts';
import { type RunningProgram, startProgram } from './child-process.ts';
import type { EdgeProxyOptions } from './edge-proxies.ts';
import { eventually } from './eventually.ts';
import {
  listenAddresses,
  listenOnLoopback,
  runnableConfiguration,
  shippedConfiguration,
  wholeConfiguration,
} from './nginx-configuration.ts';
import { programPath } from './program-path.ts';
import { runProgram } from './run-program.ts';
import type { ShippedTerminatorOptions } from './shipped-terminator.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export type NginxOptions = NginxConfiguration & {
  /** More files of the prefix, by relative path: what `include`, `ssl_certificate` and so on name. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** A folder of `temporaryDirectory()` that already holds such files. Default: a new one. */
  readonly prefix?: string;
};

/** A whole `nginx.conf`, or what stands inside `http { }`. */
type NginxConfiguration = { readonly configuration: string } | { readonly http: string };

export interface RunningNginx {
  readonly pid: number;
  /** Relative paths of the configuration start here. */
  readonly prefix: string;
  /** The error log and stderr so far. */
  readonly errors: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly stop: () => Promise<number>;
}

/**
 * Runs the real nginx in the foreground, and waits until each `listen` accepts connections.
 * @throws {Error} with the output of `nginx -t`, or of nginx when it exited
 */
export async function startNginx(options: NginxOptions): Promise<RunningNginx> {
  const { prefix = temporaryDirectory(), files = {} } = options;
  const configuration = 'http' in options ? wholeConfiguration(options.http) : options.configuration;
  mkdirSync(join(prefix, 'temp'), { recursive: true });
  writeFiles(prefix, { ...files, 'nginx.conf': runnableConfiguration(configuration) });
  const args = ['-p', prefix, '-c', join(prefix, 'nginx.conf'), '-e', 'stderr'];
  const addresses = listenAddresses(await checkedConfiguration(args));
  const nginx = startProgram(programPath('nginx'), args);
  await waitUntilItAccepts(nginx, addresses);
  return { pid: nginx.pid, prefix, errors: nginx.stderr, kill: nginx.kill, stop: nginx.stop };
}

/** The line of the shipped files that compares the host of the request with the server name of the handshake. */
export const hostComparison = "if ($countersign_names !~* '^([^ ]+?)\\.? \\1$')";

/** The same with the configuration of the repository's `nginx/` folder. */
export function startShippedNginx(options: ShippedTerminatorOptions): Promise<RunningNginx> {
  const { directory, port, socket, replace = [] } = options;
  const files = shippedConfiguration({
    replace: [
      ...replace,
      ...listenOnLoopback(port),
      ['/etc/nginx/countersign/', `${directory}/`],
      ['/var/log/nginx/', `${directory}/`],
      ['unix:/run/countersign/countersign.sock', socket.startsWith('unix:') ? socket : new URL(socket).host],
    ],
  });
  return startNginx({ http: `include ${join(directory, 'countersign.conf')};`, prefix: directory, files });
}

/** The same with `nginx/edge.conf`. */
export function startShippedNginxEdge(options: EdgeProxyOptions): Promise<RunningNginx> {
  const { directory, port, edge, upstream, replace = [] } = options;
  const files = shippedConfiguration({
    replace: [
      ...replace,
      ...listenOnLoopback(port),
      ['/etc/nginx/countersign/', `${directory}/`],
      ['/var/log/nginx/', `${directory}/`],
      ['unix:/run/countersign/edge.sock', edge.startsWith('unix:') ? edge : new URL(edge).host],
      ['127.0.0.1:8080', new URL(upstream).host],
    ],
  });
  return startNginx({ http: `include ${join(directory, 'edge.conf')};`, prefix: directory, files });
}

function writeFiles(prefix: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(prefix, name)), { recursive: true });
    writeFileSync(join(prefix, name), content);
  }
}

/** What nginx will run, with every `include` in its place. */
async function checkedConfiguration(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(programPath('nginx'), [...args, '-T', '-q']);
  if (code !== 0) throw new Error(`nginx rejects the configuration:\n${stderr}`);
  return stdout.toString();
}

async function waitUntilItAccepts(nginx: RunningProgram, addresses: readonly NetConnectOpts[]): Promise<void> {
  const report = () => `nginx does not accept connections:\n${nginx.stderr()}`;
  const allAccept = async () => (await Promise.all(addresses.map(acceptsConnections))).every(Boolean);
  try {
    await eventually(async () => nginx.hasExited() || (await allAccept()), report);
  } catch (error) {
    await nginx.stop();
    throw error;
  }
  if (nginx.hasExited()) throw new Error(report());
}
