import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { findProgram } from '../support/programs.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { type RunOptions, runProgram } from '../support/run-program.ts';

const source = join(repositoryRoot, 'test/client-libraries');
/** What is downloaded and built, so that a second run builds nothing. */
const cache = join(repositoryRoot, '.programs/client-libraries');

/** How to build and run the program of one language. Its libraries are pinned in its folder. */
export interface Toolchain {
  /** The program that must be installed. */
  readonly program: string;
  /** The commands that download the libraries and build the program, in its folder. */
  readonly build: (installed: string) => readonly Command[];
  /** The command that runs it; the file of the scenarios is appended. */
  readonly run: Command;
  /** Where its installer puts it if PATH lacks it: absolute, or below the home directory. */
  readonly folder?: string;
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const cached = (name: string) => join(cache, name);
const virtualEnvironment = join(cache, 'python');

export const toolchains = {
  go: {
    program: 'go',
    folder: '/usr/local/go/bin',
    build: (go) => [{ command: go, args: ['build', '-mod=readonly', '-o', cached('go'), '.'] }],
    run: { command: cached('go'), args: [] },
  },
  java: {
    program: 'mvn',
    build: (mvn) => [
      {
        command: mvn,
        args: [
          '--quiet',
          '--batch-mode',
          `-DoutputFolder=${cached('java')}`,
          'compile',
          'dependency:copy-dependencies',
        ],
      },
    ],
    run: {
      command: 'java',
      args: ['-cp', `${cached('java/classes')}${delimiter}${cached('java/dependency')}/*`, 'Main'],
    },
  },
  python: {
    program: 'python3',
    build: (python) => [
      { command: python, args: ['-m', 'venv', virtualEnvironment] },
      {
        command: join(virtualEnvironment, 'bin/pip'),
        args: ['install', '--quiet', '--requirement', 'requirements.txt'],
      },
    ],
    run: { command: join(virtualEnvironment, 'bin/python'), args: [join(source, 'python/check.py')] },
  },
  rust: {
    program: 'cargo',
    folder: '.cargo/bin',
    build: (cargo) => [
      { command: cargo, args: ['build', '--quiet', '--locked'], env: { CARGO_TARGET_DIR: cached('rust') } },
    ],
    run: { command: cached('rust/debug/client-libraries'), args: [] },
  },
} as const satisfies Record<string, Toolchain>;

export type Language = keyof typeof toolchains;

/** The path of the program that the language needs, or undefined. */
export function installedToolchain(language: Language): string | undefined {
  const { program, folder }: Toolchain = toolchains[language];
  const elsewhere = folder === undefined ? undefined : resolve(homedir(), folder, program);
  return findProgram(program) ?? (elsewhere && existsSync(elsewhere) ? elsewhere : undefined);
}

/**
 * Downloads the libraries and builds the program, in the environment of the developer: it may name the proxy or the
 * package registry of a network.
 */
export async function build(language: Language, installed: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const inherited = Object.entries(process.env).map(([name, value = '']) => [name, value]);
  const toolchain: Toolchain = toolchains[language];
  for (const { env, ...command } of toolchain.build(installed)) {
    const options = { cwd: join(source, language), env: { ...Object.fromEntries(inherited), ...env } };
    await execute(command, { ...options, timeout: BUILD_TIMEOUT_MILLISECONDS });
  }
}

const BUILD_TIMEOUT_MILLISECONDS = 3_600_000;

/** Runs the program and returns what it printed. Only PATH and HOME of the environment reach it. */
export function run(language: Language, scenarioFile: string): Promise<string> {
  const { command, args } = toolchains[language].run;
  return execute({ command, args: [...args, scenarioFile] }, { cwd: cache });
}

async function execute({ command, args }: Command, options: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command, args, options);
  if (code === 0) return stdout.toString();
  throw new Error(`${command} ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
}
