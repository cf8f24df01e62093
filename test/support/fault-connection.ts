import { connect, type Socket } from 'node:net';
import { delayedPipe } from './delayed-pipe.ts';

/** The state of a connection through a fault proxy. */
export interface ProxiedConnection {
  /** Counts from 1, in the order of arrival. */
  readonly id: number;
  /** The client's address and port. */
  readonly from: string;
  /** From the client, and from Redis to it, forwarded or not. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** The first 64 KiB that the client has sent, in Latin-1; not readable with TLS. */
  readonly sent: string;
  /** Nothing is forwarded in either direction any more, for good. */
  readonly isFrozen: boolean;
}

export interface FaultConnection {
  readonly snapshot: () => ProxiedConnection;
  /** Whether the client's side is open. */
  readonly isOpen: () => boolean;
  readonly freeze: () => void;
  /** Sends RST to both sides. */
  readonly reset: () => void;
}

export interface FaultConnectionOptions {
  readonly id: number;
  readonly target: { readonly host: string; readonly port: number };
  readonly latency: () => number;
  /** From the start: no connection to Redis is made. */
  readonly isFrozen: boolean;
}

const SENT_LIMIT = 65_536;

/** Forwards a client's connection to the target. If the target refuses it, the client gets an RST. */
export function faultConnection(client: Socket, options: FaultConnectionOptions): FaultConnection {
  const { id, isFrozen, target, latency } = options;
  const server = isFrozen ? undefined : connect({ ...target, noDelay: true, allowHalfOpen: true });
  const from = `${client.remoteAddress}:${client.remotePort}`;
  const facts = { id, from, bytesSent: 0, bytesReceived: 0, sent: '', isFrozen };
  joinSockets(client, server, facts, latency);
  return {
    snapshot: () => ({ ...facts }),
    isOpen: () => !client.destroyed && !client.readableEnded,
    freeze: () => {
      facts.isFrozen = true;
    },
    reset: () => {
      client.resetAndDestroy();
      server?.resetAndDestroy();
    },
  };
}

type Facts = { -readonly [Name in keyof ProxiedConnection]: ProxiedConnection[Name] };

function joinSockets(client: Socket, server: Socket | undefined, facts: Facts, latency: () => number): void {
  const onSent = (bytes: Buffer) => {
    facts.bytesSent += bytes.length;
    facts.sent += bytes.toString('latin1', 0, SENT_LIMIT - facts.sent.length);
  };
  const onReceived = (bytes: Buffer) => {
    facts.bytesReceived += bytes.length;
  };
  const isCut = () => facts.isFrozen;
  if (server) {
    delayedPipe(client, server, { latency, isFrozen: isCut, onBytes: onSent });
    delayedPipe(server, client, { latency, isFrozen: isCut, onBytes: onReceived });
    return;
  }
  client.on('data', onSent);
  client.on('error', () => {}); // It is the end of it, and nobody else's.
}
