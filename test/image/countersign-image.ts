import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../support/repository-root.ts';
import { nodeImage } from './base-images.ts';
import { buildImage } from './build-image.ts';
import { podman } from './image-store.ts';

/** The commit that the image states, in place of that of the clone: with it, each commit would build everything anew. */
export const imageRevision = '0123456789abcdef0123456789abcdef01234567';

/**
 * Builds the shipped image from this clone, with the stand-in for its base.
 *
 * @returns its ID in the store
 * @throws {Error} with the end of the output of the build
 */
export function buildCountersignImage(name = 'localhost/countersign:test'): string {
  const dockerfile = readFileSync(join(repositoryRoot, 'deploy/Dockerfile'), 'utf8');
  const args = { NODE_IMAGE: nodeImage(), SOURCE_REVISION: imageRevision };
  const image = buildImage({ name, context: repositoryRoot, dockerfile, args });
  // Each change of the source leaves the steps of an earlier build behind.
  podman(['image', 'prune', '--force', '--filter', 'until=48h']);
  return image;
}
