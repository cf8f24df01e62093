import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { programPath } from './program-path.ts';
import { runProgram } from './run-program.ts';
import type { RunningTerminator, ShippedTerminatorOptions } from './shipped-terminator.ts';
import { shippedFiles } from './shipped-text.ts';
import { startListener } from './start-listener.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export interface ApacheOptions {
  /** What an operator's site holds: virtual hosts and what goes with them. Modules, `Listen` and the rest are added. */
  readonly configuration: string;
  /** Loopback ports to listen on. */
  readonly ports: readonly number[];
  /** Where its own folder goes. Default: a new one. */
  readonly directory?: string;
}

/**
 * Runs the real Apache, as Debian compiles it.
 * @throws {Error} with the output of `apache2 -t`
 */
export async function startApache(options: ApacheOptions): Promise<RunningTerminator> {
  const { configuration, ports, directory = temporaryDirectory() } = options;
  const folder = mkdtempSync(join(directory, 'apache-'));
  const file = join(folder, 'apache2.conf');
  const log = join(folder, 'error.log');
  writeFileSync(file, wholeConfiguration(configuration, { folder, log, ports }), { mode: 0o600 });
  const apache = programPath('apache2');
  const { code, stderr } = await runProgram(apache, ['-t', '-f', file]);
  if (code !== 0) throw new Error(`Apache rejects the configuration:\n${stderr}`);
  const [command = apache, ...args] = [...keepingRights(), apache, '-f', file, '-D', 'FOREGROUND'];
  const running = await startListener({ command, args, ports });
  return { ...running, errors: () => `${running.errors()}${existsSync(log) ? readFileSync(log, 'utf8') : ''}` };
}

const shipped = ['apache.conf', 'apache-forward.conf', 'apache-clear.conf'].map((name) => `deploy/terminators/${name}`);

/** The same with `deploy/terminators/apache.conf`. */
export function startShippedApache(options: ShippedTerminatorOptions): Promise<RunningTerminator> {
  const { directory, port, socket, replace = [] } = options;
  const folder = mkdtempSync(join(directory, 'apache-files-'));
  const files = shippedFiles(shipped, [
    ...replace,
    ['Include /etc/apache2/countersign/', `Include ${folder}/`],
    ['/etc/apache2/countersign/', `${directory}/`],
    ['*:443', `127.0.0.1:${port}`],
    ['unix:/run/countersign/countersign.sock|http://countersign/', upstreamAddress(socket)],
  ]);
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, basename(path)), text, { mode: 0o600 });
  return startApache({ configuration: `Include ${join(folder, 'apache.conf')}`, directory, ports: [port] });
}

function upstreamAddress(socket: string): string {
  return socket.startsWith('unix:') ? `${socket}|http://countersign/` : `${socket}/`;
}

const modules = [
  'mpm_event',
  'authz_core',
  'alias',
  'headers',
  'http2',
  'proxy',
  'proxy_http',
  'rewrite',
  'socache_shmcb',
  'ssl',
  'unique_id',
];

interface Surroundings {
  readonly folder: string;
  readonly log: string;
  readonly ports: readonly number[];
}

/** What Debian's own files say around a site, for a folder of the test. */
function wholeConfiguration(site: string, { folder, log, ports }: Surroundings): string {
  return [
    `ServerRoot ${folder}`,
    `DefaultRuntimeDir ${folder}`,
    `PidFile ${join(folder, 'apache2.pid')}`,
    `ErrorLog ${log}`,
    'Mutex sem',
    ...modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
    ...(isRoot() ? ['User www-data', 'Group www-data'] : []),
    'ServerName localhost',
    'StartServers 1',
    ...ports.map((port) => `Listen 127.0.0.1:${port}`),
    site,
    '',
  ].join('\n');
}

/**
 * Apache does not serve as root, and only root may enter a test's folder, where the sockets are. So its children
 * become another user and keep root's capabilities.
 */
function keepingRights(): string[] {
  return isRoot() ? ['setpriv', '--securebits', '+no_setuid_fixup'] : [];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
