import { installLibraries } from '../libraries/load-library.ts';
import type { Progress } from '../progress.ts';
import type { Contender } from './contender.ts';
import { hydra } from './hydra.ts';
import { keycloak } from './keycloak.ts';
import { oidcProvider } from './oidc-provider.ts';

/** Authorization servers that are measured only if they are requested and their program is found. */
const programs = { hydra, keycloak } as const satisfies Record<string, { find: () => Contender | string }>;

export type PeerName = keyof typeof programs;

/** Safe: the table above is closed, so its keys are the names. */
export const peerNames = Object.keys(programs) as readonly PeerName[];

/** The authorization servers to compare with. One line reports each that cannot be measured. */
export async function findPeers(names: readonly PeerName[], { show, warn }: Progress): Promise<readonly Contender[]> {
  const found = names.map((name) => programs[name].find());
  for (const reason of found) if (typeof reason === 'string') warn(reason);
  const contenders = found.filter((peer) => typeof peer !== 'string');
  show('installing the libraries of the benchmark');
  try {
    await installLibraries();
    return [oidcProvider, ...contenders];
  } catch (error) {
    warn(`oidc-provider is not measured: ${error instanceof Error ? error.message : error}`);
    return contenders;
  }
}
