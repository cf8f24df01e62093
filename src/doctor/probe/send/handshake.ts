import { OperatorError } from '../../../operator-error.ts';
import type { HandshakeReport } from '../examination.ts';
import type { ClientKeyPair } from '../identity.ts';
import type { Route } from '../routes.ts';
import { type Failure, type Opened, openConnection } from './connection.ts';

/** Of the proxy's own certificate. */
interface ServerCas {
  /** PEM; undefined for those that this machine trusts. */
  readonly serverCa: string | undefined;
  readonly serverCaFile: string | undefined;
}

/**
 * Looks at what the proxy does in a handshake.
 *
 * @throws {OperatorError} when it cannot be reached, or is not one that we trust
 */
export async function probeHandshake(route: Route, own: ClientKeyPair, trusted: ServerCas): Promise<HandshakeReport> {
  const { host, port } = route.address;
  const connectedTo = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const open = (identity: ClientKeyPair | undefined) => {
    return openConnection({ route, identity, protocols: ['h2', 'http/1.1'], serverCa: trusted.serverCa });
  };
  const opened = await open(own);
  const failure = requireReached(opened, `${route.serverName} at ${connectedTo}`, trusted);
  // A proxy that refuses our certificate in the handshake still shows what it is without.
  const facts = factsOf(failure === null ? opened : await open(undefined));
  return {
    route: route.name,
    url: route.title,
    connected_to: connectedTo,
    server_name: route.serverName,
    ...facts,
    failure,
  };
}

function requireReached(opened: Opened, where: string, { serverCaFile }: ServerCas): string | null {
  if (opened.kind === 'open') return null;
  if (opened.kind === 'closed') return opened.detail;
  const certificate = `the proxy's own certificate, of ${where},`;
  if (opened.kind === 'untrusted')
    throw new OperatorError([`${certificate} is not trusted: ${unverified(opened, serverCaFile)}`]);
  if (opened.kind === 'outdated') {
    throw new OperatorError([
      `${certificate} is not valid at this time (${opened.detail}): renew it, or look at the clock here`,
    ]);
  }
  if (opened.kind === 'misnamed') {
    throw new OperatorError([
      `${certificate} is for other names: ${opened.detail}; check --url and --connect-to, or give the proxy one for this name`,
    ]);
  }
  throw new OperatorError([
    `cannot reach the proxy ${where}: ${opened.detail}; check --url, or say where it is in fact with --connect-to HOST:PORT`,
  ]);
}

function unverified({ detail }: Failure, serverCaFile: string | undefined): string {
  if (serverCaFile === undefined)
    return `not issued by a CA that this machine knows (${detail}); name it with --cacert`;
  return `not issued by a CA of ${serverCaFile} (${detail}); name the one that issued it with --cacert`;
}

function factsOf(opened: Opened) {
  if (opened.kind !== 'open') return { tls_version: null, http2: false, client_certificate_requested: false };
  const { socket } = opened;
  const facts = {
    tls_version: socket.getProtocol(),
    http2: socket.alpnProtocol === 'h2',
    // A server tells which signatures it takes only when it asks for a certificate (RFC 8446 §4.3.2, RFC 5246 §7.4.4).
    client_certificate_requested: socket.getSharedSigalgs().length > 0,
  };
  socket.destroy();
  return facts;
}
