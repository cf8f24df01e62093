import { startShippedApache } from './apache.ts';
import { startShippedCaddy } from './caddy.ts';
import { startShippedEnvoy } from './envoy.ts';
import { startShippedHaproxy } from './haproxy.ts';
import { startShippedNginx } from './nginx.ts';
import type { ProgramName } from './programs.ts';
import type { RunningTerminator, ShippedTerminatorOptions } from './shipped-terminator.ts';
import { startShippedTraefik } from './traefik.ts';

/** A terminator with the configuration that the repository ships for it. */
export interface ShippedTerminator {
  readonly program: ProgramName;
  /** The settings of Countersign that its configuration requires. */
  readonly env: Readonly<Record<string, string>>;
  readonly start: (options: ShippedTerminatorOptions) => Promise<RunningTerminator>;
}

export const terminators = {
  nginx: {
    program: 'nginx',
    env: { COUNTERSIGN_TERMINATOR: 'nginx' },
    start: startShippedNginx,
  },
  envoy: {
    program: 'envoy',
    env: { COUNTERSIGN_TERMINATOR: 'envoy', COUNTERSIGN_VERIFY_HEADER: 'X-SSL-Client-Verify' },
    start: startShippedEnvoy,
  },
  haproxy: { program: 'haproxy', env: { COUNTERSIGN_TERMINATOR: 'haproxy' }, start: startShippedHaproxy },
  apache: { program: 'apache2', env: { COUNTERSIGN_TERMINATOR: 'apache' }, start: startShippedApache },
  caddy: {
    program: 'caddy',
    env: { COUNTERSIGN_TERMINATOR: 'caddy' },
    start: startShippedCaddy,
  },
  traefik: { program: 'traefik', env: { COUNTERSIGN_TERMINATOR: 'traefik' }, start: startShippedTraefik },
} as const satisfies Record<string, ShippedTerminator>;

export type TerminatorName = keyof typeof terminators;
