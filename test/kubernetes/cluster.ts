import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type RunningProgram, startProgram } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { writeClusterPki } from './pki.ts';

/** The first runs everything that a test does not drain. */
const nodes = ['n1', 'n2'] as const;

/** Where a test sees the network of the cluster from. */
type Place = 'node' | 'outside';

export interface ClusterOptions {
  /** The programs of Kubernetes. */
  readonly binaries: string;
  readonly kubectl: string;
  /** Puts the archives of the images into the folder. */
  readonly writeImages: (directory: string) => Promise<void>;
}

export interface Cluster {
  /** Has the folder `volumes/`, and the logs of all programs in `logs/`. */
  readonly directory: string;
  /** Runs a program on the first node, as the administrator of the cluster. Throws unless it exits with 0. */
  readonly run: (command: readonly string[], options?: { input?: string }) => Promise<string>;
  /** @returns a Unix socket that is connected to this TCP address, seen from a node or from outside the cluster */
  readonly relay: (address: string, from: Place) => Promise<string>;
  readonly stop: () => Promise<void>;
}

/** A node starts with an import of images of several hundred megabytes. */
const START_MILLISECONDS = 1_200_000;
/** Above the limits that `kubectl` and `helm` are given for what they wait for. */
const COMMAND_MILLISECONDS = 400_000;
/** It ends at once, but a busy machine takes time to end its processes. */
const STOP_MILLISECONDS = 300_000;

/**
 * Starts a cluster of two nodes in namespaces of its own. It needs root. It ends with this process, however that ends, and leaves
 * nothing behind.
 */
export async function startCluster({ binaries, kubectl, writeImages }: ClusterOptions): Promise<Cluster> {
  const directory = temporaryDirectory();
  const images = join(directory, 'images');
  mkdirSync(images);
  writeClusterPki(join(directory, 'pki'), nodes);
  const script = join(repositoryRoot, 'test/kubernetes/cluster/supervise.sh');
  // With the parent death signal, the cluster ends with this process, however that ends.
  const args = ['--pdeathsig', 'TERM', 'bash', script];
  const path = `${binaries}:${dirname(kubectl)}:${process.env.PATH}`;
  // Several clusters can run at once.
  const env = { PATH: path, WORK: directory, NODES: nodes.join(' '), CGROUP: `countersign-${process.pid}` };
  const program = startProgram('setpriv', args, { env });
  const stop = async () => {
    const code = await program.stop(STOP_MILLISECONDS);
    if (code !== 0) throw new Error(`the cluster left something behind: ${program.stderr()}`);
  };
  try {
    // The control plane starts in the meantime.
    await writeImages(images);
    writeFileSync(join(directory, 'images.complete'), '');
    await untilReady(program, directory);
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  return { directory, ...accessTo(directory, path), stop };
}

async function untilReady(program: RunningProgram, directory: string): Promise<void> {
  const isReady = () => existsSync(join(directory, 'ready'));
  const explain = () => `the cluster does not start\n${program.stdout()}${program.stderr()}${endOfLogs(directory)}`;
  await eventually(() => isReady() || program.hasExited(), explain, START_MILLISECONDS);
  if (program.hasExited()) throw new Error(explain());
}

function endOfLogs(directory: string): string {
  const logs = join(directory, 'logs');
  const names = existsSync(logs) ? readdirSync(logs) : [];
  const end = (name: string) => readFileSync(join(logs, name), 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  return names.map((name) => `--- ${name}\n${end(name)}\n`).join('');
}

function accessTo(directory: string, path: string): Pick<Cluster, 'run' | 'relay'> {
  // The first process inside; `unshare` itself is outside.
  const outside = readFileSync(join(directory, 'cluster.pid'), 'utf8').trim();
  const children = readFileSync(`/proc/${outside}/task/${outside}/children`, 'utf8');
  const inside = ['--target', children.trim(), '--net', '--mount', '--pid', '--wd=/', '--'];
  const env = { KUBECONFIG: join(directory, 'pki', 'admin.kubeconfig'), HOME: directory, PATH: path };
  const run: Cluster['run'] = async (command, { input = '' } = {}) => {
    const options = { env, input, timeout: COMMAND_MILLISECONDS };
    const { code, stdout, stderr } = await runProgram('nsenter', [...inside, ...command], options);
    if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}\n${stderr}${stdout}`);
    return stdout.toString();
  };
  let relays = 0;
  const relay: Cluster['relay'] = async (address, from) => {
    relays += 1;
    const socket = join(directory, `relay-${relays}.sock`);
    const place = from === 'outside' ? ['nsenter', '--net=/run/netns/outside'] : [];
    const [host = '', port = ''] = address.split(':');
    const relaying = [process.execPath, join(repositoryRoot, 'test/kubernetes/relay.ts'), socket, host, port];
    const { stdout, stderr, hasExited } = startProgram('nsenter', [...inside, ...place, ...relaying]);
    await eventually(
      () => stdout() !== '' || hasExited(),
      () => `no relay to ${address}`,
      60_000,
    );
    if (hasExited()) throw new Error(`no relay to ${address}: ${stderr()}`);
    return socket;
  };
  return { run, relay };
}
