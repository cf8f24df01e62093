import { Agent, request } from 'node:http';
import type { MintedCertificate } from '../support/certificates.ts';

/** A replica's response to a token request. */
export interface TokenResponse {
  /** 0 without a response. */
  readonly status: number;
  readonly error: string;
  /** When the request was sent, by `performance.now()`. */
  readonly at: number;
  readonly milliseconds: number;
}

/** Requests a token from one replica, as its terminator would. */
export type TokenRequester = (clientId: string) => Promise<TokenResponse>;

/** @param url `unix:/path`, as in the log of the server */
export function tokenRequester(url: string, identity: MintedCertificate): TokenRequester {
  const socketPath = url.replace(/^unix:/, '');
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-ssl-client-cert': encodeURIComponent(identity.pem),
  };
  return (clientId) => {
    const at = performance.now();
    const { promise, resolve } = Promise.withResolvers<TokenResponse>();
    const done = (status: number, error: string) =>
      resolve({ status, error, at, milliseconds: performance.now() - at });
    const outgoing = request({ agent, socketPath, path: '/token', method: 'POST', headers }, async (response) => {
      const body: unknown = JSON.parse((await response.toArray()).join(''));
      const error = typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : '';
      done(response.statusCode ?? 0, error);
    });
    outgoing.on('error', ({ message }) => done(0, message));
    outgoing.end(`grant_type=client_credentials&client_id=${clientId}`);
    return promise;
  };
}

/** Continuous token requests, and their responses. */
export interface Load {
  /** For registered clients that were served before. */
  readonly known: TokenResponse[];
  /** For client IDs that are not registered, each used once. */
  readonly unknown: TokenResponse[];
  /** Stops sending requests; resolves once all have their responses. */
  readonly stop: () => Promise<void>;
}

const KNOWN_INTERVAL_MILLISECONDS = 20;
const UNKNOWN_INTERVAL_MILLISECONDS = 50;

/** Sends each replica 50 requests a second for known clients and 20 for unknown ones, without waiting for responses. */
export function startLoad(replicas: readonly TokenRequester[], knownClients: readonly string[]): Load {
  const [known, unknown]: [TokenResponse[], TokenResponse[]] = [[], []];
  const pending = new Set<Promise<unknown>>();
  let number = 0;
  const send = (clientId: string, responses: TokenResponse[]) => {
    for (const replica of replicas) {
      const response = replica(clientId).then((received) => responses.push(received));
      pending.add(response);
      response.finally(() => pending.delete(response));
    }
  };
  const timers = [
    setInterval(() => send(knownClients[number++ % knownClients.length] ?? '', known), KNOWN_INTERVAL_MILLISECONDS),
    setInterval(() => send(`unknown-${number++}`, unknown), UNKNOWN_INTERVAL_MILLISECONDS),
  ];
  const stop = async () => {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(pending);
  };
  return { known, unknown, stop };
}
