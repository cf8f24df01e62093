import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildah } from './image-store.ts';

export interface ImageSource {
  /** The name of the image in the store, such as `localhost/countersign:test`. */
  readonly name: string;
  /** The folder whose files the Dockerfile can copy. */
  readonly context: string;
  /** The text of the Dockerfile. */
  readonly dockerfile: string;
  /** Build arguments. */
  readonly args?: Readonly<Record<string, string>>;
}

/**
 * Builds an image from a Dockerfile, without a container engine. Unchanged steps are taken from the cache. Programs that run in
 * the build use the network and the CA certificates of this machine.
 *
 * @returns its ID: another test run of this machine may give the name to another image
 * @throws {Error} with the end of the output
 */
export function buildImage({ name, context, dockerfile, args = {} }: ImageSource): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-dockerfile-'));
  try {
    const file = join(folder, 'Dockerfile');
    writeFileSync(file, dockerfile);
    const machine = ['--isolation=chroot', '--network=host', '--volume=/etc/ssl/certs:/etc/ssl/certs:ro'];
    const buildArgs = Object.entries(args).map(([key, value]) => `--build-arg=${key}=${value}`);
    const idFile = join(folder, 'id');
    const output = ['--iidfile', idFile, '--tag', name];
    buildah(['bud', '--pull-never', '--layers', ...machine, ...buildArgs, '--file', file, ...output, context]);
    return readFileSync(idFile, 'utf8').trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
