import { certificateReason } from '../../../errors/network-error.ts';
import { OperatorError } from '../../../errors/operator-error.ts';
import type { ClientKeyPair } from '../client-key-pair.ts';
import type { ProbeOptions } from '../options.ts';
import type { HandshakeReport } from '../probe-report.ts';
import type { Route } from '../routes.ts';
import { type ConnectionResult, type Failure, openConnection } from './connection.ts';

/**
 * Reports what the proxy negotiates in a handshake, and whether it requests a client certificate.
 *
 * @throws {OperatorError} when the proxy cannot be reached or is not trusted
 */
export async function probeHandshake(
  route: Route,
  own: ClientKeyPair,
  { serverCa, serverCaFile }: Pick<ProbeOptions, 'serverCa' | 'serverCaFile'>,
): Promise<HandshakeReport> {
  const { host, port } = route.address;
  const connectedTo = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const open = (clientKeyPair: ClientKeyPair | undefined) => {
    return openConnection({ route, clientKeyPair, protocols: ['h2', 'http/1.1'], serverCa });
  };
  const connection = await open(own);
  const failure = requireReached(connection, `${route.serverName} at ${connectedTo}`, serverCaFile);
  // A proxy that rejects the certificate in the handshake still negotiates without one.
  const negotiated = readNegotiated(failure === null ? connection : await open(undefined));
  return {
    route: route.name,
    url: route.title,
    connected_to: connectedTo,
    server_name: route.serverName,
    ...negotiated,
    failure,
  };
}

/** @returns why the proxy closed the connection, or null when it is open */
function requireReached(connection: ConnectionResult, where: string, serverCaFile: string | undefined): string | null {
  switch (connection.kind) {
    case 'open':
      return null;
    case 'closed':
      return connection.detail;
    default:
      throw new OperatorError([describeUnreached(connection, where, serverCaFile)]);
  }
}

function describeUnreached({ kind, detail }: Failure, where: string, serverCaFile: string | undefined): string {
  const certificate = `the proxy's own certificate, of ${where},`;
  switch (kind) {
    case 'untrusted':
      return `${certificate} is not trusted: ${describeUntrusted(detail, serverCaFile)}`;
    case 'outside_validity':
      return `${certificate} is expired or not valid yet (${detail}): renew it, or check the clock of this machine`;
    case 'name_mismatch':
      return (
        `${certificate} is for other names: ${detail}; check --url and --connect-to, or issue the proxy a certificate ` +
        'for this name'
      );
    default:
      return (
        `cannot reach the proxy ${where}: ${detail}; check --url, or name the actual address with ` +
        '--connect-to HOST:PORT'
      );
  }
}

/** Codes of causes that another CA file does not fix. */
const otherCauses: ReadonlySet<string> = new Set([
  'INVALID_PURPOSE',
  'INVALID_CA',
  'CERT_SIGNATURE_FAILURE',
  'CERT_REJECTED',
]);

function describeUntrusted(detail: string, serverCaFile: string | undefined): string {
  const cause = otherCauses.has(detail) ? certificateReason({ code: detail }) : undefined;
  if (cause !== undefined) return cause;
  if (serverCaFile === undefined)
    return `not issued by a CA that this machine trusts (${detail}); pass it with --cacert`;
  return `not issued by a CA of ${serverCaFile} (${detail}); pass the one that issued it with --cacert`;
}

function readNegotiated(connection: ConnectionResult) {
  if (connection.kind !== 'open') return { tls_version: null, http2: false, client_certificate_requested: false };
  const { socket } = connection;
  const negotiated = {
    tls_version: socket.getProtocol(),
    http2: socket.alpnProtocol === 'h2',
    // A server lists its signature algorithms only in a certificate request (RFC 8446 §4.3.2, RFC 5246 §7.4.4).
    client_certificate_requested: socket.getSharedSigalgs().length > 0,
  };
  socket.destroy();
  return negotiated;
}
