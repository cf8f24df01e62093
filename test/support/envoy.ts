import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EdgeProxyOptions } from './edge-proxies.ts';
import { programPath } from './program-path.ts';
import type { RunningTerminator, ShippedTerminatorOptions } from './shipped-terminator.ts';
import { shippedFile } from './shipped-text.ts';
import { startListener } from './start-listener.ts';
import { temporaryDirectory } from './temporary-directory.ts';

interface EnvoyOptions {
  /** A whole bootstrap configuration, YAML. */
  readonly configuration: string;
  /** Loopback ports that it listens on. */
  readonly ports: readonly number[];
  /** Where its own folder goes. Default: a new one. */
  readonly directory?: string;
}

/**
 * Runs the real Envoy. What it writes includes why a handshake failed (`TLS_error`).
 * @throws {Error} with what Envoy wrote, when it rejects the configuration
 */
export function startEnvoy(options: EnvoyOptions): Promise<RunningTerminator> {
  const { configuration, ports, directory = temporaryDirectory() } = options;
  const file = join(mkdtempSync(join(directory, 'envoy-')), 'envoy.yaml');
  writeFileSync(file, configuration);
  const levels = ['--log-level', 'warning', '--component-log-level', 'connection:debug'];
  // A hot restart shares memory by an id that is the same for every Envoy of the machine.
  const args = ['--config-path', file, '--concurrency', '1', '--disable-hot-restart', ...levels];
  return startListener({ command: programPath('envoy'), args, ports });
}

/** The same with `deploy/terminators/envoy.yaml`. */
export function startShippedEnvoy(options: ShippedTerminatorOptions): Promise<RunningTerminator> {
  const { directory, port, socket, replace = [] } = options;
  const configuration = shippedFile('deploy/terminators/envoy.yaml', [
    ...replace,
    ['address: 0.0.0.0, port_value: 443', `address: 127.0.0.1, port_value: ${port}`],
    ['/etc/envoy/countersign/', `${directory}/`],
    ['pipe: { path: /run/countersign/countersign.sock }', upstreamAddress(socket)],
  ]);
  return startEnvoy({ configuration, directory, ports: [port] });
}

/** The same with `deploy/edge/envoy.yaml`. */
export function startShippedEnvoyEdge(options: EdgeProxyOptions): Promise<RunningTerminator> {
  const { directory, port, edge, upstream, replace = [] } = options;
  const configuration = shippedFile('deploy/edge/envoy.yaml', [
    ...replace,
    ['address: 0.0.0.0, port_value: 443', `address: 127.0.0.1, port_value: ${port}`],
    ['/etc/envoy/countersign/', `${directory}/`],
    ['pipe: { path: /run/countersign/edge.sock }', upstreamAddress(edge)],
    ['socket_address: { address: 127.0.0.1, port_value: 8080 }', upstreamAddress(upstream)],
  ]);
  return startEnvoy({ configuration, directory, ports: [port] });
}

function upstreamAddress(socket: string): string {
  if (socket.startsWith('unix:')) return `pipe: { path: ${socket.slice('unix:'.length)} }`;
  const { hostname, port } = new URL(socket);
  return `socket_address: { address: ${hostname}, port_value: ${port} }`;
}
