import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installNode } from '../package/install-node.ts';
import { runInstaller } from '../support/run-installer.ts';
import { buildImage } from './build-image.ts';
import { containerEnvironment, hasImage } from './image-store.ts';

const DEBIAN = 'bookworm';
const NODE = '24.22.3';
const NPM = '11.21.2';

const mirrors = [
  `deb http://deb.debian.org/debian ${DEBIAN} main`,
  `deb http://deb.debian.org/debian-security ${DEBIAN}-security main`,
];

/**
 * A minimal Debian, from its packages. Images of other programs can start from it.
 *
 * @returns its name in the store
 */
function debianImage(): string {
  const name = `localhost/debian:${DEBIAN}`;
  if (!hasImage(name)) {
    inTemporaryFolder((context) => {
      const env = { ...process.env, ...containerEnvironment() };
      const args = ['--variant=minbase', '--include=ca-certificates', DEBIAN, join(context, 'root.tar'), ...mirrors];
      execFileSync('mmdebstrap', args, { stdio: 'pipe', env });
      buildImage({ name, context, dockerfile: 'FROM scratch\nADD root.tar /\nCMD ["bash"]\n' });
    });
  }
  return name;
}

/**
 * A stand-in for the official image of Node.js, whose registry tests do not reach: Debian with the same program, from the
 * package of npm. It also has npm, which trusts the CA certificates of this machine.
 *
 * @returns its name in the store
 */
export function nodeImage(): string {
  const name = `localhost/node:${NODE}-${DEBIAN}`;
  if (!hasImage(name)) {
    const debian = debianImage();
    inTemporaryFolder((context) => {
      cpSync(join(installNode(NODE), 'node'), join(context, 'node'));
      unpackNpm(context);
      buildImage({ name, context, dockerfile: nodeDockerfile(debian) });
    });
  }
  return name;
}

/** A stand-in for the image of a program: Debian with packages. @returns its name in the store */
export function debianImageWith(name: string, packages: readonly string[]): string {
  if (!hasImage(name)) {
    const install = `apt-get update -q && apt-get install -y -q --no-install-recommends ${packages.join(' ')}`;
    const dockerfile = `FROM ${debianImage()}\nRUN ${install} && rm -rf /var/lib/apt/lists\n`;
    inTemporaryFolder((context) => buildImage({ name, context, dockerfile }));
  }
  return name;
}

function nodeDockerfile(debian: string): string {
  const npm = '/usr/local/lib/node_modules/npm';
  return `FROM ${debian}
COPY --chmod=755 node /usr/local/bin/node
COPY package ${npm}
RUN chmod 755 ${npm}/bin/*-cli.js \\
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \\
 && mkdir -p /usr/local/etc && echo cafile=/etc/ssl/certs/ca-certificates.crt > /usr/local/etc/npmrc
CMD ["node"]
`;
}

/** Writes the files of npm to `package` in the folder. */
function unpackNpm(folder: string): void {
  runInstaller('npm', ['pack', '--pack-destination', folder, `npm@${NPM}`]);
  const [tarball = ''] = globSync('npm-*.tgz', { cwd: folder });
  runInstaller('tar', ['-xzf', join(folder, tarball), '-C', folder, '--no-same-owner']);
}

function inTemporaryFolder(run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-image-'));
  try {
    run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
