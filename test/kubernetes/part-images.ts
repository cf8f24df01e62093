import { cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { archiveImage } from './archive-image.ts';

/** What runs beside Countersign, in one image. Its tag is that of no registry: a Pod that pulls it fails. */
export const partsImage = 'localhost/parts:1';

/** The image that containerd.toml names, with the program of build-binaries.sh. */
export async function archivePauseImage(binaries: string, archive: string): Promise<void> {
  const root = temporaryDirectory();
  cpSync(join(binaries, 'pause'), join(root, 'pause'));
  await archiveImage('localhost/pause:1', root, archive, ['/pause']);
}

/** nginx, Envoy and Redis of this machine, with the libraries that they are linked to, and nothing else. */
export async function archivePartsImage(archive: string): Promise<void> {
  const root = temporaryDirectory();
  for (const program of ['nginx', 'envoy', 'redis-server'] as const) {
    const path = inject('programs')[program];
    if (!path) throw new Error(`${program} is missing`);
    const target = join(root, 'usr/bin', program);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(realpathSync(path), target);
    for (const library of await librariesOf(path)) {
      mkdirSync(join(root, dirname(library)), { recursive: true });
      cpSync(realpathSync(library), join(root, library));
    }
  }
  for (const folder of ['etc', 'tmp', 'var/log/nginx', 'var/lib/nginx'])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:\nparts:x:65532:65532::/:\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nparts:x:65532:\n');
  await archiveImage(partsImage, root, archive);
}

/** Paths of the shared libraries of a program, and of the loader. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await runProgram('ldd', [program]);
  return [...stdout.toString().matchAll(/(?:=> |^\t)(\/\S+)/gm)].map(([, path = '']) => path);
}
