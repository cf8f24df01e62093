import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { mtlsHost } from './deployment.ts';
import { apiHost, type EdgeProxyOptions } from './edge-proxies.ts';
import { eventually } from './eventually.ts';
import { programPath } from './program-path.ts';
import type { RunningTerminator, ShippedTerminatorOptions } from './shipped-terminator.ts';
import { type Replacements, shippedFiles } from './shipped-text.ts';
import { startListener } from './start-listener.ts';

/** Runs the real Traefik with `deploy/edge/traefik.yaml`. */
export function startShippedTraefikEdge(options: EdgeProxyOptions): Promise<RunningTerminator> {
  const { directory, port, edge, upstream, replace = [] } = options;
  const addresses = (relay: string): Replacements => [
    ['http://127.0.0.1:8081', relay],
    ['http://127.0.0.1:8080', upstream],
  ];
  return startTraefik({ folder: 'deploy/edge', directory, port, socket: edge, host: apiHost, replace, addresses });
}

/** The same with `deploy/terminators/traefik.yaml`. */
export function startShippedTraefik(options: ShippedTerminatorOptions): Promise<RunningTerminator> {
  const { directory, port, socket, replace = [] } = options;
  const addresses = (relay: string): Replacements => [['http://127.0.0.1:8080', relay]];
  return startTraefik({ folder: 'deploy/terminators', directory, port, socket, host: mtlsHost, replace, addresses });
}

interface TraefikOptions {
  /** In which the repository has the two files. */
  readonly folder: string;
  /** Has the certificates. */
  readonly directory: string;
  readonly port: number;
  /** Where Countersign listens. */
  readonly socket: string;
  /** One of the names that it serves. */
  readonly host: string;
  readonly replace: Replacements;
  /** @param relay the address of Countersign for Traefik, which connects over TCP only */
  readonly addresses: (relay: string) => Replacements;
}

async function startTraefik(options: TraefikOptions): Promise<RunningTerminator> {
  const { folder, directory, port, socket, host, replace, addresses } = options;
  const own = mkdtempSync(join(directory, 'traefik-'));
  const relay = await startRelay(socket);
  const [main, dynamic] = ['traefik.yaml', 'traefik-dynamic.yaml'].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  const files = shippedFiles(
    [main, dynamic],
    [
      ...replace,
      ['address: :443', `address: 127.0.0.1:${port}`],
      ['/etc/traefik/countersign/traefik-dynamic.yaml', join(own, basename(dynamic))],
      ['/etc/traefik/countersign/', `${directory}/`],
      ...addresses(relay.url),
    ],
  );
  for (const [path, text] of Object.entries(files)) writeFileSync(join(own, basename(path)), text);
  const args = [`--configFile=${join(own, basename(main))}`];
  const traefik = await startListener({ command: programPath('traefik'), args, ports: [port] }).catch((error) => {
    relay.stop();
    throw error;
  });
  const stop = async () => {
    relay.stop();
    return traefik.stop();
  };
  // It listens before it has loaded the dynamic configuration.
  const isLoaded = async () => (await presentedName(port, host)) === host;
  await eventually(isLoaded, traefik.errors).catch(async (error) => {
    await stop();
    throw error;
  });
  return { ...traefik, stop };
}

/** The first DNS name of the server's certificate for a name; undefined if the handshake fails. */
async function presentedName(port: number, servername: string): Promise<string | undefined> {
  const socket = connectTls({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
  const connected = await once(socket, 'secureConnect').catch(() => undefined);
  const names = connected && socket.getPeerCertificate().subjectaltname;
  socket.destroy();
  return names?.replace(/^DNS:/, '');
}

/** Relays TCP connections to a Unix socket. */
async function startRelay(edge: string): Promise<{ url: string; stop: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const other = connect(edge.startsWith('unix:') ? { path: edge.slice('unix:'.length) } : targetOf(edge));
    for (const end of [socket, other]) {
      sockets.add(end);
      // An end that closes or fails ends the other one.
      end
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(end);
          (end === socket ? other : socket).destroy();
        });
    }
    socket.pipe(other).pipe(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // Safe: the server listens on TCP.
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

function targetOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
