import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { findPip } from '../support/python-package.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runInstaller } from '../support/run-installer.ts';
import { type FinishedProgram, runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { containerEnvironment, imageCache } from './image-store.ts';

const PODMAN_COMPOSE = 'podman-compose==1.6.0';

const composeFile = join(repositoryRoot, 'deploy/compose.yaml');

/** Installing images, and starting containers one after the other, on a busy machine. */
const COMMAND_TIMEOUT = 300_000;

/** The services of deploy/compose.yaml, run by podman in namespaces of their own: nothing of them is on this machine. */
export interface RunningCompose {
  /** Runs a command in their network, with the settings of podman. */
  readonly run: (command: string, args: readonly string[]) => Promise<FinishedProgram>;
  /** `podman-compose` with the shipped file. Profiles are enabled as Docker Compose does it for the service of `run`. */
  readonly compose: (...args: string[]) => Promise<FinishedProgram>;
  /** Waits until the health check of the shipped file succeeds. This podman has no systemd that would run it. */
  readonly healthy: (service: string) => Promise<void>;
  /** Ends every process in the namespaces. */
  readonly stop: () => Promise<unknown>;
}

export async function startCompose(): Promise<RunningCompose> {
  const pythonPath = installPodmanCompose();
  const env = { ...storeOfItsOwn(temporaryDirectory()), PYTHONPATH: pythonPath };
  // Files in /run tell podman which of its containers run.
  const enter = 'ip link set lo up && mount -t tmpfs tmpfs /run && echo ready && exec sleep infinity';
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const holder = startProgram('unshare', [...namespaces, 'bash', '-c', enter]);
  await eventually(() => holder.stdout().includes('ready'), holder.stderr);
  const first = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8').trim();
  const inside = ['--target', first, '--net', '--mount', '--pid', '--'];
  const run = (command: string, args: readonly string[]) =>
    runProgram('nsenter', [...inside, command, ...args], { env, timeout: COMMAND_TIMEOUT });
  const healthy = async (service: string) => {
    let last = '';
    const check = async () => {
      const { code, stdout, stderr } = await run('podman', ['healthcheck', 'run', `countersign_${service}_1`]);
      last = `${service}: ${stdout}${stderr}`;
      return code === 0;
    };
    await eventually(check, () => last, 30_000);
  };
  return {
    run,
    compose: (...args) => run('python3', ['-m', 'podman_compose', '-f', composeFile, '--profile', 'token', ...args]),
    healthy,
    stop: () => {
      holder.kill('SIGKILL');
      return holder.exited;
    },
  };
}

/** podman keeps the state of containers beside their images. The images of the cache are used, and not modified. */
function storeOfItsOwn(folder: string): Record<string, string> {
  const shared = containerEnvironment();
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const containers = readFileSync(shared.CONTAINERS_CONF ?? '', 'utf8');
  const networks = `[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "${join(folder, 'networks')}"\n`;
  const folders = `graphroot = "${join(folder, 'images')}"\nrunroot = "${join(folder, 'run')}"\n`;
  const images = `[storage.options]\nadditionalimagestores = ["${join(imageCache, 'images')}"]\n`;
  return {
    ...shared,
    CONTAINERS_CONF: write('containers.conf', `${containers}${networks}`),
    CONTAINERS_STORAGE_CONF: write('storage.conf', `[storage]\ndriver = "overlay"\n${folders}${images}`),
  };
}

/** @returns the folder for `PYTHONPATH` */
function installPodmanCompose(): string {
  const folder = join(imageCache, PODMAN_COMPOSE);
  if (existsSync(folder)) return folder;
  const [pip, ...args] = findPip() ?? [];
  if (!pip) throw new Error('podman-compose requires pip: install the package python3-pip');
  const staging = `${folder}.partial`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(imageCache, { recursive: true });
  runInstaller(pip, [...args, 'install', '--quiet', '--no-input', '--target', staging, PODMAN_COMPOSE]);
  renameSync(staging, folder);
  return folder;
}
