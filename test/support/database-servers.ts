import { chownSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { installPackages } from './install-programs.ts';
import { findProgram, isContinuousIntegration } from './programs.ts';
import { runProgram } from './run-program.ts';
import { startListener } from './start-listener.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A database server on loopback. */
export interface DatabaseServer {
  /**
   * Runs its command-line client.
   *
   * @param args beside those that connect to the server
   * @param input SQL
   * @returns standard output
   * @throws {Error} with its standard error, if it fails
   */
  readonly client: (args: readonly string[], input: string) => Promise<string>;
  readonly stop: () => Promise<unknown>;
}

const packages = ['postgresql', 'mariadb-server-core', 'mariadb-client-core'];
const programs = ['psql', 'mariadb', 'mariadbd', 'mariadb-install-db'];

/** Whether the servers are there, after an attempt to install them. Only one campaign needs them, so others do not. */
export function haveDatabaseServers(): boolean {
  try {
    if (!areInstalled()) installPackages(packages);
  } catch (error) {
    console.warn(`Installation of ${packages.join(' ')} failed: ${error instanceof Error ? error.message : error}`);
  }
  if (!areInstalled() && isContinuousIntegration()) throw new Error(`install ${packages.join(' ')}`);
  return areInstalled();
}

function areInstalled(): boolean {
  return postgresqlFolder() !== undefined && programs.every((name) => findProgram(name) !== undefined);
}

/** Debian keeps the server of each version outside the PATH. */
function postgresqlFolder(): string | undefined {
  return globSync('/usr/lib/postgresql/*/bin/').toSorted().at(-1);
}

const NOBODY = 65_534;

/** PostgreSQL does not run as root, and another user cannot enter the temporary folder of the test run. */
export async function startPostgresql(): Promise<DatabaseServer> {
  const folder = mkdtempSync(join(tmpdir(), 'cs-pg-'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  const asUser = isRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
  const commandOf = (program: string, args: readonly string[]): [string, string[]] => {
    const [command = program, ...rest] = [...asUser, join(postgresqlFolder() ?? '', program), ...args];
    return [command, rest];
  };
  const data = join(folder, 'data');
  await succeed(...commandOf('initdb', ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-sync']));
  const port = await freePort();
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`, '-c', 'fsync=off'];
  const [command, args] = commandOf('postgres', ['-D', data, '-p', String(port), ...settings]);
  const server = await startListener({ command, args, ports: [port] });
  const connection = ['-X', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-v', 'ON_ERROR_STOP=1'];
  // It accepts connections before it has started up.
  const isReady = async () => (await runProgram('psql', [...connection, '-c', 'SELECT 1'])).code === 0;
  await eventually(isReady, () => `PostgreSQL does not start up:\n${server.errors()}`);
  return {
    client: (more, input) => succeed('psql', [...connection, ...more], input),
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function startMariadb(): Promise<DatabaseServer> {
  const folder = temporaryDirectory();
  const data = join(folder, 'data');
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  const install = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
  await succeed(findProgram('mariadb-install-db') ?? '', [...install, ...user]);
  const port = await freePort();
  const socket = `--socket=${join(folder, 'socket')}`;
  const address = [`--port=${port}`, '--bind-address=127.0.0.1', socket];
  const args = ['--no-defaults', `--datadir=${data}`, ...address, ...user];
  const server = await startListener({ command: findProgram('mariadbd') ?? '', args, ports: [port] });
  const connection = [
    '--no-defaults',
    '-h',
    '127.0.0.1',
    '-P',
    String(port),
    '-u',
    'root',
    '--default-character-set=utf8mb4',
  ];
  const client = (more: readonly string[], input: string) => succeed('mariadb', [...connection, ...more], input);
  await client([], 'CREATE DATABASE ids CHARACTER SET utf8mb4');
  return { client: (more, input) => client([...more, 'ids'], input), stop: () => server.stop() };
}

async function succeed(command: string, args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command, args, { input });
  if (code !== 0) throw new Error(`${command}: exit code ${code}\n${stderr}`);
  return stdout.toString('utf8');
}
