import { type RequestListener, type Server, ServerResponse } from 'node:http';
import type { ReceivedRequest } from './received-request.ts';

/** Node's response as the listener creates it, which reports when the application has ended it. */
export class SentResponse extends ServerResponse<ReceivedRequest> {
  /** Whether its request is rejected because of overload. */
  isShed = false;
  /** Whether its request was sent in advance, and waits for the responses before it on its connection. */
  isWaiting = false;
  /** Called once it is complete, although it may have to wait for earlier ones, or for a peer that reads slowly. */
  onEnded: ((response: SentResponse) => void) | undefined;

  override end(...content: readonly unknown[]): this {
    Reflect.apply(super.end, this, content);
    this.onEnded?.(this);
    this.onEnded = undefined;
    return this;
  }
}

export type HttpServer = Server<typeof ReceivedRequest, typeof SentResponse>;

/** Serves one request. */
export type Serve = RequestListener<typeof ReceivedRequest, typeof SentResponse>;
