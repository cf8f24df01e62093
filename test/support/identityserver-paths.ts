import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository-root.ts';
import type { TerminatorName } from './terminators.ts';

/** The shipped files that have the lines for the paths of IdentityServer, commented. */
export const filesWithIdentityServerPaths = {
  nginx: 'nginx/forward-to-countersign.conf',
  envoy: 'deploy/terminators/envoy.yaml',
  haproxy: 'deploy/terminators/haproxy.cfg',
  apache: 'deploy/terminators/apache-forward.conf',
  caddy: 'deploy/terminators/Caddyfile',
  traefik: 'deploy/terminators/traefik-dynamic.yaml',
} as const satisfies Record<TerminatorName, string>;

/** What an operator removes: the first # of each commented line after the one that requests it. */
const COMMENTED = /the first # of these lines:\n((?:[ \t]*#.*\n)+)/g;

/** The changes of a shipped file that its comment describes. */
export function uncommentIdentityServerPaths(file: string): (readonly [from: string, to: string])[] {
  const text = readFileSync(join(repositoryRoot, file), 'utf8');
  const blocks = [...text.matchAll(COMMENTED)].map(([, block = '']) => block);
  if (blocks.length === 0) throw new Error(`${file} has no lines for the paths of IdentityServer`);
  // The two hosts of a file may have the same lines.
  return [...new Set(blocks)].map((block) => [block, block.replace(/^([ \t]*)#/gm, '$1')]);
}
