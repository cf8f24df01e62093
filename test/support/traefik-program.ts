import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the shipped configurations require, and the tests run. */
export const traefikVersion = '3.7.13';

/** Outside the clone, since it takes a quarter of an hour of CPU time to compile. */
export const traefikFolder = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'countersign',
  'traefik',
  `v${traefikVersion}`,
);

export const traefikProgram = join(traefikFolder, 'traefik');
