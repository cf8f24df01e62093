import { connect, type Socket } from 'node:net';
import { delayedPipe } from './delayed-pipe.ts';

/** What a fault proxy knows of a connection. */
export interface ProxiedConnection {
  /** From 1, in the order in which they came. */
  readonly id: number;
  /** The client's address and port. */
  readonly from: string;
  /** By the client, and what came for it from Redis, whether or not it was passed on. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** What the client has sent, in latin1; the first 64 KiB. Over TLS there is nothing to read in it. */
  readonly sent: string;
  /** Nothing passes any more, in neither direction and for ever. */
  readonly isFrozen: boolean;
}

export interface FaultConnection {
  readonly snapshot: () => ProxiedConnection;
  /** Whether the client has neither ended nor lost it. */
  readonly isOpen: () => boolean;
  readonly freeze: () => void;
  /** Both sides get an RST. */
  readonly reset: () => void;
}

export interface FaultConnectionOptions {
  readonly id: number;
  readonly target: { readonly host: string; readonly port: number };
  readonly latency: () => number;
  /** From the start: Redis never hears of it. */
  readonly isFrozen: boolean;
}

const SENT_LIMIT = 65_536;

/** Joins a client's connection to one of its own to the target. Where that is refused, the client gets an RST. */
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
