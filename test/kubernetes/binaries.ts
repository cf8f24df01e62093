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

/**
 * Installs those that are missing.
 *
 * @throws {Error} if this machine cannot run nodes, or with the last line of the output of the package manager
 */
export function installClusterPrograms(): void {
  if (process.getuid?.() !== 0) throw new Error('the nodes of a cluster need root: run the suite as root');
  if (!existsSync('/sys/fs/cgroup/memory'))
    throw new Error(
      'the nodes of the cluster need control groups of version 1: boot with systemd.unified_cgroup_hierarchy=0',
    );
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
  const { code, stderr, stdout } = await runProgram(script, [kubernetesVersion, folder], {
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
