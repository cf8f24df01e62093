import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../support/programs.ts';
import { repositoryRoot } from '../../support/repository-root.ts';
import { runProgram } from '../../support/run-program.ts';
import { runTool } from '../processes.ts';

/** When, where and with what figures were measured. */
export interface Provenance {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly commit: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** By the name of the program or library. */
  readonly versions: Readonly<Record<string, string>>;
}

export async function findProvenance(): Promise<Provenance> {
  return {
    date: new Date().toISOString(),
    commit: (await runTool('git', ['describe', '--always', '--dirty'], repositoryRoot)).trim(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    // Without what a distribution or a vendor appends to it.
    system: `${process.platform} ${/^[\d.]+/.exec(release())?.[0] ?? ''}`.trim(),
    versions: {
      node: process.versions.node,
      openssl: process.versions.openssl ?? 'unknown',
      ...(await versionOf('nginx', '-v')),
      ...(await versionOf('redis-server', '--version')),
      'oidc-provider': pinnedVersion('oidc-provider'),
    },
  };
}

/** One sentence. */
export function describeProvenance({
  date,
  commit,
  processor,
  cores,
  memoryGiB,
  system,
  versions,
}: Provenance): string {
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `Measured on ${date.slice(0, 10)} at ${commit}: ${processor}, ${cores} cores, ${memoryGiB} GiB, ${system}; ${programs.join(', ')}.`;
}

async function versionOf(name: string, option: string): Promise<Record<string, string>> {
  const program = findProgram(name);
  if (program === undefined) return {};
  const { stdout, stderr } = await runProgram(program, [option]);
  const version = /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0];
  return version === undefined ? {} : { [name]: version };
}

function pinnedVersion(library: string): string {
  const file = join(import.meta.dirname, '../libraries/package.json');
  // Safe: our own file.
  const { dependencies } = JSON.parse(readFileSync(file, 'utf8')) as { dependencies: Record<string, string> };
  return dependencies[library] ?? 'unknown';
}
