import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { readRequestHead } from './request-head.ts';
import type { RunningRequests } from './running-requests.ts';
import { answerUnparsed, answerUnread, explainFault, type OnUnreadable } from './unreadable-request.ts';

/** Passes on what the adaptor can make a URL of; else it would answer with an empty 400, and tell nobody. */
export function readableOnly(listener: RequestListener, onUnreadable: OnUnreadable): RequestListener {
  return (incoming, outgoing) => {
    const head = readRequestHead(incoming);
    if (head.kind === 'unreadable') {
      onUnreadable({ code: head.code, reason: head.reason });
      answerUnread(head.code, outgoing);
      return;
    }
    incoming.url = head.target;
    // Nothing depends on the host, as the issuer is configured; the adaptor's grammar for it is not the RFC's.
    incoming.headers.host = 'countersign.invalid';
    listener(incoming, outgoing);
  };
}

/** Answers what never becomes a request. Node itself would answer with nothing, and tell nobody. */
export function refuseUnparsed(server: Server, running: RunningRequests, onUnreadable: OnUnreadable): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const fault = explainFault(error);
    onUnreadable(fault);
    // After a fault of TLS no answer gets through, and a connection that waits for one would stay.
    if (fault.code.startsWith('ERR_SSL_')) socket.destroy();
    else if (!running.endAfterAnswer(socket)) answerUnparsed(fault.code, socket);
  });
  server.on('checkExpectation', (_, response) => {
    onUnreadable({ code: 'INVALID_EXPECTATION', reason: 'Expect is not 100-continue' });
    answerUnread('INVALID_EXPECTATION', response);
  });
  server.on('connect', (_, socket: Socket) => {
    onUnreadable({ code: 'INVALID_METHOD', reason: 'CONNECT asks for a tunnel' });
    // Node has let go of the socket, also of its errors.
    socket.on('error', () => socket.destroy());
    answerUnparsed('INVALID_METHOD', socket);
    socket.destroySoon();
  });
}
