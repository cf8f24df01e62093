import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { installPackages } from '../support/install-programs.ts';
import { findProgram } from '../support/programs.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';

const kubernetesVersion = '1.37.2';

/** Outside the clone, since the programs take half an hour of CPU time to compile. */
const folder = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'countersign',
  'kubernetes',
  `v${kubernetesVersion}`,
);

const programs = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy'];

/** Whether the programs of Kubernetes have been compiled for this user. */
export function hasKubernetesBinaries(): boolean {
  return programs.every((program) => existsSync(join(folder, 'bin', program)));
}

/** On a machine with two busy cores. */
const BUILD_TIMEOUT = 90 * 60_000;

/** What a node needs beside the programs of Kubernetes, by Debian package. */
const debianPackages: Readonly<Record<string, string>> = {
  etcd: 'etcd-server',
  containerd: 'containerd',
  runc: 'runc',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  dnsmasq: 'dnsmasq-base',
  ip: 'iproute2',
};

/** Why this machine cannot run nodes, and the fix; undefined if it can. */
export function clusterObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'the nodes of a cluster need Linux';
  if (process.getuid?.() !== 0) return 'the nodes of a cluster need root: run the suite as root';
  if (!existsSync('/sys/fs/cgroup/memory'))
    return 'the nodes of a cluster need control groups of version 1: boot with systemd.unified_cgroup_hierarchy=0';
  const mount = ['--mount', '--net', '--pid', '--fork', '--mount-proc', 'mount', '-t', 'tmpfs', 'tmpfs', '/run'];
  if (spawnSync('unshare', mount).status !== 0)
    return 'the nodes of a cluster need namespaces and mounts of their own: run the suite outside a container';
  return undefined;
}

/**
 * Installs those that are missing.
 *
 * @throws {Error} if this machine cannot run nodes, or with the last line of the output of the package manager
 */
export function installClusterPrograms(): void {
  const obstacle = clusterObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  const isMissing = (program: string) => (program.startsWith('/') ? !existsSync(program) : !findProgram(program));
  const missing = Object.entries(debianPackages).filter(([program]) => isMissing(program));
  if (missing.length > 0) installPackages(missing.map(([, name]) => name));
}

/**
 * Builds the programs of Kubernetes unless they are cached.
 *
 * @returns their folder
 * @throws {Error} with the output of the build
 */
export async function kubernetesBinaries(): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const script = join(repositoryRoot, 'test/kubernetes/build-binaries.sh');
  const { code, stderr, stdout } = await runProgram(script, [kubernetesVersion, folder, ...programs], {
    timeout: BUILD_TIMEOUT,
    env: goEnvironment(),
  });
  if (code !== 0) throw new Error(`${script}: exit code ${code}\n${stdout}${stderr}`);
  return join(folder, 'bin');
}

/** The proxy, the checksum database and the caches that the developer has configured. */
function goEnvironment(): Record<string, string> {
  const relevant = /^(GO|XDG_|SSL_CERT_|HTTPS?_PROXY|NO_PROXY|https?_proxy|no_proxy)/;
  // Safe: a variable of the environment that exists has a value.
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => relevant.test(name))) as Record<
    string,
    string
  >;
}
