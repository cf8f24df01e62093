import { IncomingMessage } from 'node:http';
import { HeaderFields } from './header-fields.ts';
import type { MalformedRequest } from './malformed-reasons.ts';

/** A chunk may hold a single byte, and takes several hundred: more of them are joined. */
const MAX_CHUNKS = 256;

/** Node's request as the listener creates it, with the only way to read its header and its body. */
export class ReceivedRequest extends IncomingMessage {
  /** Called as soon as it was received in full. */
  onReceived: (() => void) | undefined;
  #fields: HeaderFields | undefined;

  /** Parsed once. */
  get fields(): HeaderFields {
    this.#fields ??= new HeaderFields(this.rawHeaders);
    return this.#fields;
  }

  /** Node's parser pushes null behind the body, also if that is empty. */
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk === null) this.onReceived?.();
    return super.push(chunk, encoding);
  }

  /**
   * Reads the body, which may only be done once.
   *
   * @throws {BodyTooLarge} as soon as it exceeds `maxBytes`; the rest of it is discarded
   * @throws {IncompleteBody}
   */
  readBody(maxBytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      this.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= maxBytes) chunks.push(chunk);
        else reject(new BodyTooLarge());
        if (chunks.length === MAX_CHUNKS) chunks.splice(0, MAX_CHUNKS, Buffer.concat(chunks));
      });
      this.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
      // Node reports no error to a request without a listener for it, and always closes it.
      this.on('close', () => {
        if (!this.readableEnded) reject(this.#incomplete());
      });
      if (this.closed) reject(this.#incomplete());
    });
  }

  #incomplete(): IncompleteBody {
    if (this.errored instanceof IncompleteBody) return this.errored;
    return new IncompleteBody({ code: 'connection_lost', reason: 'the connection was closed' });
  }
}

/**
 * Node's `headers` merges all lines into an object, for each request, of which Node itself reads one field and Hono's
 * adapter another. Nothing depends on the host: the issuer is configured, and the adapter's host grammar is not that of the
 * RFC. TypeScript declares a property, which a getter of the class cannot replace.
 */
Object.defineProperty(ReceivedRequest.prototype, 'headers', {
  get(this: ReceivedRequest) {
    return { host: 'countersign.invalid', expect: this.fields.combined('expect') };
  },
});

/**
 * A request as the application receives it. The properties that are left out would show a merged header: Node joins the
 * lines of some repeated fields and drops those of others.
 */
export type HttpRequest = Pick<ReceivedRequest, 'method' | 'url' | 'socket' | 'fields' | 'readBody' | 'rawTrailers'>;

/** The body of a request exceeds the limit. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/** The error with which the body of a request ends that did not arrive in full, or not as valid HTTP. */
export class IncompleteBody extends Error {
  override readonly name = 'IncompleteBody';
  readonly code: 'body_incomplete' | 'body_timeout';

  /** The message is the reason. */
  constructor({ code, reason }: MalformedRequest) {
    super(reason);
    this.code = code === 'request_timeout' ? 'body_timeout' : 'body_incomplete';
  }
}
