import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/**
 * Writes an image with one layer as an archive of the kind that `docker save` makes.
 *
 * @param name such as `localhost/pause:1`
 * @param root the folder that becomes the root of the image
 * @param archive the file to write
 * @param entrypoint the command of its containers, unless they state their own
 */
export async function archiveImage(
  name: string,
  root: string,
  archive: string,
  entrypoint: readonly string[] = [],
): Promise<void> {
  const staging = temporaryDirectory();
  mkdirSync(join(staging, 'image'));
  const layer = join(staging, 'image', 'layer.tar');
  await tar(['--owner=0', '--group=0', '--numeric-owner', '-cf', layer, '-C', root, '.']);
  const digest = createHash('sha256').update(readFileSync(layer)).digest('hex');
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const rootfs = { type: 'layers', diff_ids: [`sha256:${digest}`] };
  const config = { architecture, os: 'linux', config: { Entrypoint: entrypoint }, rootfs };
  writeFileSync(join(staging, 'image', 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
  writeFileSync(join(staging, 'image', 'manifest.json'), JSON.stringify(manifest));
  await tar(['-cf', archive, '-C', join(staging, 'image'), 'manifest.json', 'config.json', 'layer.tar']);
}

async function tar(args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram('tar', args);
  if (code !== 0) throw new Error(`tar ${args.join(' ')}: ${stderr}`);
}
