import type { ListenAddress } from '../http/listen-address.ts';
import { headerFormatNames } from '../terminator/formats.ts';
import type { Terminator } from '../terminator/terminator.ts';
import { chainSettings } from './client-ca.ts';
import { oneOf } from './parsers.ts';
import { parseOptionalListen } from './server.ts';
import { defineSettings } from './setting.ts';
import type { Settings } from './settings.ts';
import { type ForwardedFields, otherTerminatorFields } from './terminator.ts';
import { readProxyTrust } from './trusted-proxy.ts';

export const edgeSettings = defineSettings('Edge', {
  EDGE_LISTEN: {
    parse: parseOptionalListen,
    description: 'address of the edge listener, or `off`',
    details:
      'It serves the [checks](edge.md) of proxies. A proxy is trusted there for the same reasons as at `COUNTERSIGN_LISTEN`. ' +
      'Never expose it to clients: its responses contain tokens that they must not see.',
    default: 'off',
    mayDiffer: true,
  },
  EDGE_TERMINATOR: {
    parse: oneOf(headerFormatNames),
    description: 'terminator that sends the checks',
    details:
      'If it differs from `COUNTERSIGN_TERMINATOR`, its headers have their usual names: the settings that rename headers do not apply.',
    defaultDescription: '`COUNTERSIGN_TERMINATOR`',
    onlyWith: ['EDGE_LISTEN'],
  },
});
const { EDGE_LISTEN, EDGE_TERMINATOR } = edgeSettings;
const { CHAIN_VERIFIED_BY } = chainSettings;

/** The edge listener, and the terminator behind which it listens. */
export interface EdgeConfig {
  readonly listen: ListenAddress;
  readonly terminator: Terminator;
  /** How the proxy is authenticated, for the startup log. */
  readonly proxyTrustDescription: string;
}

/**
 * Reads the configuration of the edge; undefined if it is off. Problems are collected in `settings`.
 *
 * @param forwarded what `COUNTERSIGN_TERMINATOR` forwards
 */
export function readEdgeConfig(settings: Settings, forwarded: ForwardedFields | undefined): EdgeConfig | undefined {
  const address = settings.read(EDGE_LISTEN);
  const name = settings.read(EDGE_TERMINATOR) ?? forwarded?.name;
  if (address === 'off') return undefined;
  const { listen, trust, description } = readProxyTrust(settings, address, EDGE_LISTEN);
  const fields = name === undefined || name === forwarded?.name ? forwarded : otherTerminatorFields(settings, name);
  if (fields) warnIfUnverified(settings, fields);
  return fields && { listen, terminator: { ...fields, proxyTrust: trust }, proxyTrustDescription: description };
}

/** The proxies of the edge are usually others, and often accept certificates that do not verify, for self-signed clients. */
function warnIfUnverified(settings: Settings, { verification }: ForwardedFields): void {
  if (verification.by !== 'terminator') return;
  const fix = 'set COUNTERSIGN_CLIENT_CA_FILE instead, unless each of them does';
  settings.warn(
    CHAIN_VERIFIED_BY,
    `is terminator, so the proxies at COUNTERSIGN_EDGE_LISTEN must admit only verified certificates as well: ${fix}`,
  );
}
