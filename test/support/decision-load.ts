import { connect } from 'node:net';
import type { LogLine } from './json-lines.ts';
import { requestBytes } from './raw-http.ts';

/** Continuous token requests on keep-alive connections to one server, and what the clients have received. */
export interface DecisionLoad {
  /** The `jti` of each token received, and the `client_id` of each request that was rejected. */
  readonly received: ReadonlySet<string>;
  /** The statuses of the complete responses. */
  readonly statuses: readonly number[];
  /** Resolves when each connection is closed by the server, or idle after `stop`. */
  readonly ended: Promise<unknown>;
  /** Lets each connection receive its response, and sends nothing more. */
  readonly stop: () => Promise<void>;
}

export interface DecisionLoadOptions {
  readonly socketPath: string;
  /** Header lines that authenticate the client. */
  readonly lines: readonly string[];
  readonly clientId: string;
  /** Default: 32. */
  readonly connections?: number;
}

/** Every second request is for a token; the others are for unknown clients, each once. */
export function startDecisionLoad(options: DecisionLoadOptions): DecisionLoad {
  const { socketPath, lines, clientId, connections = 32 } = options;
  const received = new Set<string>();
  const statuses: number[] = [];
  let sent = 0;
  let isStopped = false;

  const run = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = connect({ path: socketPath });
    let requested = '';
    let unread = '';
    const send = () => {
      if (isStopped) {
        socket.end();
        return;
      }
      sent += 1;
      requested = sent % 2 === 0 ? clientId : `unknown-${sent}`;
      socket.write(requestBytes({ lines, body: { grant_type: 'client_credentials', client_id: requested } }));
    };
    socket.setEncoding('latin1');
    socket.on('connect', send).on('error', () => {});
    socket.on('close', () => resolve());
    socket.on('data', (text: string) => {
      unread += text;
      const response = completeResponse(unread);
      if (!response) return;
      unread = '';
      statuses.push(response.status);
      if (response.status === 200) received.add(tokenId(response.body));
      else if (response.status === 400) received.add(requested);
      send();
    });
    return promise;
  };

  const ended = Promise.all(Array.from({ length: connections }, run));
  const stop = async () => {
    isStopped = true;
    await ended;
  };
  return { received, statuses, ended, stop };
}

/** The identifiers that {@link DecisionLoad.received} has, of the audit events among these log lines. */
export function auditedDecisions(lines: readonly LogLine[]): string[] {
  return lines.flatMap(({ event, jti, client_id }) => {
    if (event === 'token_issued') return [String(jti)];
    return event === 'token_rejected' ? [String(client_id)] : [];
  });
}

function completeResponse(text: string): { status: number; body: string } | undefined {
  const [head = '', body] = text.split('\r\n\r\n', 2);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (body === undefined || length === undefined || body.length < Number(length)) return undefined;
  return { status: Number(head.split(' ')[1]), body };
}

function tokenId(body: string): string {
  const [, payload = ''] = String(JSON.parse(body).access_token).split('.');
  return String(JSON.parse(Buffer.from(payload, 'base64url').toString()).jti);
}
