import type { Socket } from 'node:net';

/** What a server responded to one request. */
export interface RawResponse {
  readonly status: number;
  readonly text: string;
  /** Whether the connection cannot be used for another request. */
  readonly closes: boolean;
}

/**
 * One connection that sends one request at a time. Requests are bytes that were prepared before the measurement, and
 * callbacks replace promises, so that the load generator uses little CPU time.
 */
export class TokenConnection {
  readonly #socket: Socket;
  #received = '';
  #onResponse: ((response: RawResponse) => void) | undefined;
  #closed = false;

  /** @param onError called once if the connection ends before `close`, with a request in flight or not */
  constructor(socket: Socket, onError: (error: Error) => void) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#receive(text));
    const fail = (reason: string) => {
      if (this.#closed) return;
      this.#closed = true;
      onError(new Error(reason));
    };
    socket.once('error', ({ message }) => fail(message));
    socket.once('close', () => fail('the server closed the connection'));
  }

  send(request: Uint8Array, onResponse: (response: RawResponse) => void): void {
    this.#onResponse = onResponse;
    this.#socket.write(request);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const response = completeResponse(this.#received);
    if (!response) return;
    this.#received = '';
    const onResponse = this.#onResponse;
    this.#onResponse = undefined;
    onResponse?.(response);
  }
}

/** The response, once all of it was received (RFC 9112 §6.3: a content length, or chunks). */
function completeResponse(text: string): RawResponse | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const length = /\ncontent-length: *(\d+)/i.exec(head)?.[1];
  const isComplete =
    length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= headEnd + 4 + Number(length);
  return isComplete
    ? { status: Number(head.slice(9, 12)), text, closes: /\nconnection: *close/i.test(head) }
    : undefined;
}
