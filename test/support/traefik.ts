import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { apiHost, type EdgeProxyOptions } from './edge-proxies.ts';
import { eventually } from './eventually.ts';
import { programPath } from './program-path.ts';
import type { RunningTerminator } from './shipped-terminator.ts';
import { shippedFiles } from './shipped-text.ts';
import { startListener } from './start-listener.ts';

const paths = { static: 'deploy/edge/traefik.yaml', dynamic: 'deploy/edge/traefik-dynamic.yaml' } as const;

/** Runs the real Traefik with `deploy/edge/traefik.yaml`. */
export async function startShippedTraefikEdge(options: EdgeProxyOptions): Promise<RunningTerminator> {
  const { directory, port, edge, upstream, replace = [] } = options;
  const folder = mkdtempSync(join(directory, 'traefik-'));
  // It checks over TCP only.
  const relay = await startRelay(edge);
  const files = shippedFiles(Object.values(paths), [
    ...replace,
    ['address: :443', `address: 127.0.0.1:${port}`],
    ['/etc/traefik/countersign/traefik-dynamic.yaml', join(folder, basename(paths.dynamic))],
    ['/etc/traefik/countersign/', `${directory}/`],
    ['http://127.0.0.1:8081', relay.url],
    ['http://127.0.0.1:8080', upstream],
  ]);
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, basename(path)), text);
  const args = [`--configFile=${join(folder, basename(paths.static))}`];
  const traefik = await startListener({ command: programPath('traefik'), args, ports: [port] }).catch((error) => {
    relay.stop();
    throw error;
  });
  const stop = async () => {
    relay.stop();
    return traefik.stop();
  };
  // It listens before it has loaded the dynamic configuration.
  const isLoaded = async () => (await presentedName(port)) === apiHost;
  await eventually(isLoaded, traefik.errors).catch(async (error) => {
    await stop();
    throw error;
  });
  return { ...traefik, stop };
}

/** The first DNS name of the server's certificate; undefined if the handshake fails. */
async function presentedName(port: number): Promise<string | undefined> {
  const socket = connectTls({ host: '127.0.0.1', port, servername: apiHost, rejectUnauthorized: false });
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
