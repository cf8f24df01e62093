import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { ActiveRequests } from './active-requests.ts';
import type { ClientError } from './malformed-reasons.ts';

/** A connection on which the bytes of another one are parsed again. */
class Replay extends Duplex {
  readonly origin: Socket;

  constructor(origin: Socket) {
    super();
    this.origin = origin;
    origin.once('end', () => this.push(null)).once('close', () => this.destroy());
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.origin.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.origin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.origin.destroySoon();
    done(error);
  }
}

/** Whether a request was received with a method that Node's parser does not know. */
export function hasUnknownMethod({ socket }: { readonly socket: Duplex }): boolean {
  return socket instanceof Replay;
}

/** The socket of the peer, also for a request with an unknown method. */
export function peerSocket(socket: Socket): Socket {
  const connection: Duplex = socket;
  return connection instanceof Replay ? connection.origin : socket;
}

/** @returns whether the request that caused the error is served nevertheless */
export type ServeUnknownMethod = (error: ClientError, socket: Socket) => boolean;

/**
 * Serves requests with any method, for an application that does not depend on it. Node's parser knows a list of methods,
 * and stops at any other. The bytes from there on are parsed again, with a method that it knows, as a connection of their
 * own: Node documents the event for that. The application has to close it after the request. A method that arrives in two
 * parts is not recognized, and the request rejected.
 */
export function serveUnknownMethods(server: Server, active: ActiveRequests): ServeUnknownMethod {
  const replays = new WeakMap<Socket, Replay>();
  const start = (bytes: Buffer, socket: Socket) => {
    const replay = new Replay(socket);
    replays.set(socket, replay);
    replay.push(bytes);
    const inject = () => {
      if (!replay.destroyed) server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', replay);
    };
    // Its response comes after those to earlier requests.
    const inFlight = active.on(socket);
    if (inFlight.kind === 'none') inject();
    else inFlight.response.once('close', inject);
  };
  return (error, socket) => {
    const replay = replays.get(socket);
    if (replay) {
      // The parser reports the error again, for whatever follows.
      if (error.rawPacket) replay.push(error.rawPacket);
      if (replay.readableLength > MAX_WAITING_BYTES) socket.destroy();
      return true;
    }
    const bytes = withKnownMethod(error);
    if (bytes) start(bytes, socket);
    return bytes !== undefined;
  };
}

/** How much may arrive while the response to an earlier request is awaited. */
const MAX_WAITING_BYTES = 256 * 1024;

/** The start of a request line (RFC 9112 §3): a token, and a target in origin-form. */
const REQUEST_LINE = /^[!#$%&'*+.^_`|~\w-]{1,64} (?=\/)/;

/** The bytes from the request with an unknown method on, with another method in its place. */
function withKnownMethod({ code, rawPacket, bytesParsed = 0 }: ClientError): Buffer | undefined {
  if (code !== 'HPE_INVALID_METHOD' || !rawPacket) return undefined;
  const text = Buffer.from(rawPacket).toString('latin1');
  const line = text.slice(text.lastIndexOf('\n', bytesParsed - 1) + 1);
  const [start] = REQUEST_LINE.exec(line) ?? [];
  return start === undefined ? undefined : Buffer.from(`GET ${line.slice(start.length)}`, 'latin1');
}
