import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EdgeProxyOptions } from './edge-proxies.ts';
import { programPath } from './program-path.ts';
import type { RunningTerminator, ShippedTerminatorOptions } from './shipped-terminator.ts';
import { shippedFile } from './shipped-text.ts';
import { startListener } from './start-listener.ts';
import { temporaryDirectory } from './temporary-directory.ts';

interface CaddyOptions {
  /** A whole Caddyfile. */
  readonly configuration: string;
  /** Loopback ports that it listens on. */
  readonly ports: readonly number[];
  /** Where its own folder goes. Default: a new one. */
  readonly directory?: string;
}

/**
 * Runs the real Caddy.
 * @throws {Error} with what Caddy wrote, when it rejects the configuration
 */
function startCaddy(options: CaddyOptions): Promise<RunningTerminator> {
  const { configuration, ports, directory = temporaryDirectory() } = options;
  const home = mkdtempSync(join(directory, 'caddy-'));
  const file = join(home, 'Caddyfile');
  writeFileSync(file, configuration);
  return startListener({
    command: programPath('caddy'),
    args: ['run', '--adapter', 'caddyfile', '--config', file],
    env: { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home },
    ports,
  });
}

/** On loopback only, and with a word on why a handshake failed. */
const testOptions = `admin off
	default_bind 127.0.0.1
	log handshakes {
		output stderr
		level DEBUG
		include http.stdlib
	}`;

/** The same with `deploy/terminators/Caddyfile`. */
export function startShippedCaddy(options: ShippedTerminatorOptions): Promise<RunningTerminator> {
  const { directory, port, socket, replace = [] } = options;
  const configuration = shippedFile('deploy/terminators/Caddyfile', [
    ...replace,
    ['admin off', testOptions],
    ['https_port 443', `https_port ${port}`],
    ['/etc/caddy/countersign/', `${directory}/`],
    ['reverse_proxy unix//run/countersign/countersign.sock', `reverse_proxy ${upstreamAddress(socket)}`],
  ]);
  return startCaddy({ configuration, directory, ports: [port] });
}

/** The same with `deploy/edge/Caddyfile`. */
export function startShippedCaddyEdge(options: EdgeProxyOptions): Promise<RunningTerminator> {
  const { directory, port, edge, upstream, replace = [] } = options;
  const configuration = shippedFile('deploy/edge/Caddyfile', [
    ...replace,
    ['admin off', testOptions],
    ['https_port 443', `https_port ${port}`],
    ['/etc/caddy/countersign/', `${directory}/`],
    ['unix//run/countersign/edge.sock', upstreamAddress(edge)],
    ['127.0.0.1:8080', new URL(upstream).host],
  ]);
  return startCaddy({ configuration, directory, ports: [port] });
}

function upstreamAddress(socket: string): string {
  return socket.startsWith('unix:') ? `unix/${socket.slice('unix:'.length)}` : new URL(socket).host;
}
