import { installPackages } from '../support/install-programs.ts';
import { findProgram } from '../support/programs.ts';

/** The programs that build and run images without a container engine, by Debian package. */
const packages: Readonly<Record<string, string>> = {
  buildah: 'buildah',
  runc: 'runc',
  podman: 'podman',
  conmon: 'conmon',
  netavark: 'netavark',
  'aardvark-dns': 'aardvark-dns',
  unshare: 'util-linux',
  ip: 'iproute2',
  iptables: 'iptables',
  mmdebstrap: 'mmdebstrap',
};

/** Programs of Debian outside the folders of programs. */
const libraryFolder = '/usr/lib/podman';

/**
 * Installs those that are missing. Requires Debian and root.
 *
 * @throws {Error} with the last line of the output of the package manager
 */
export function installContainerTools(): void {
  const missing = Object.entries(packages).filter(([program]) => !isInstalled(program));
  if (missing.length > 0) installPackages(missing.map(([, name]) => name));
}

function isInstalled(program: string): boolean {
  return findProgram(program) !== undefined || findProgram(`${libraryFolder}/${program}`) !== undefined;
}
