import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { installContainerTools } from './container-tools.ts';

/** Where images are kept between test runs, outside the clone. It belongs to the tests: remove it to begin anew. */
export const imageCache = join(homedir(), '.cache', 'countersign', 'image');

/** A build that installs the packages of npm, on a busy machine. */
const BUILD_TIMEOUT = 900_000;

/** The settings of buildah and podman that make them independent of those of this machine. */
let environment: Record<string, string> | undefined;

/**
 * The environment for `buildah` and `podman` in which they use the cache of the tests, and for containers only what an
 * ordinary root may do. Installs the programs first if they are missing.
 */
export function containerEnvironment(): Record<string, string> {
  environment ??= prepareStore();
  return environment;
}

function prepareStore(): Record<string, string> {
  installContainerTools();
  mkdirSync(imageCache, { recursive: true });
  const write = (name: string, lines: readonly string[]) => {
    const file = join(imageCache, name);
    writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
  };
  const store = ['[storage]', 'driver = "overlay"'];
  const folders = [`graphroot = "${join(imageCache, 'images')}"`, `runroot = "${join(imageCache, 'run')}"`];
  // crun, the default, requires control groups of one version; and the limits must be ones that this user may set.
  const limits = ['[containers]', 'default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]'];
  const engine = ['[engine]', 'runtime = "runc"', 'cgroup_manager = "cgroupfs"', 'events_logger = "file"'];
  return {
    CONTAINERS_STORAGE_CONF: write('storage.conf', [...store, ...folders]),
    CONTAINERS_CONF: write('containers.conf', [...limits, ...engine]),
    // No image comes from a registry.
    CONTAINERS_REGISTRIES_CONF: write('registries.conf', [
      'unqualified-search-registries = []',
      'short-name-mode = "disabled"',
    ]),
  };
}

/**
 * @returns standard output
 * @throws {Error} with the end of the output
 */
export function buildah(args: readonly string[]): string {
  return runContainerTool('buildah', args);
}

export function podman(args: readonly string[]): string {
  return runContainerTool('podman', args);
}

function runContainerTool(program: string, args: readonly string[]): string {
  const env = { ...process.env, ...containerEnvironment() };
  try {
    return execFileSync(program, args, { stdio: 'pipe', timeout: BUILD_TIMEOUT, env, encoding: 'utf8' });
  } catch (error) {
    throw new Error(`${program} ${args.join(' ')}\n${endOfOutput(error)}`, { cause: error });
  }
}

/** The standard error of a program, which says what failed. */
function endOfOutput(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return text.trim().split('\n').slice(-30).join('\n');
}

/** Whether the store has the image. */
export function hasImage(name: string): boolean {
  return buildah(['images', '--format', '{{.Name}}:{{.Tag}}']).split('\n').includes(name);
}

/** Writes an image under this name to a file that containerd and Docker import. An existing file is replaced. */
export function saveImage(id: string, name: string, file: string): void {
  rmSync(file, { force: true });
  buildah(['push', '--quiet', id, `docker-archive:${file}:${name}`]);
}
