import { Agent, request } from 'node:http';
import type { MintedCertificate } from '../support/certificates.ts';

/** One answer of a replica. */
export interface TokenResponse {
  /** 0 where there was none. */
  readonly status: number;
  readonly error: string;
  /** When it was asked, by `performance.now()`. */
  readonly at: number;
  readonly milliseconds: number;
}

/** Asks one replica for a token, as its terminator would. */
export type TokenRequester = (clientId: string) => Promise<TokenResponse>;

/** @param url `unix:/path`, as the server says where it listens */
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
    const asking = request({ agent, socketPath, path: '/token', method: 'POST', headers }, async (response) => {
      const body: unknown = JSON.parse((await response.toArray()).join(''));
      const error = typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : '';
      done(response.statusCode ?? 0, error);
    });
    asking.on('error', ({ message }) => done(0, message));
    asking.end(`grant_type=client_credentials&client_id=${clientId}`);
    return promise;
  };
}

/** What replicas were asked all the time, and what they answered. */
export interface Load {
  /** Of clients that are registered and were served before. */
  readonly known: TokenResponse[];
  /** Of names that nobody has, each asked for once. */
  readonly unknown: TokenResponse[];
  /** Sends nothing any more; resolves when all is answered. */
  readonly stop: () => Promise<void>;
}

const KNOWN_INTERVAL = 20;
const UNKNOWN_INTERVAL = 50;

/** Asks each replica for known clients 50 times a second and for unknown ones 20 times, whether or not it answers. */
export function startLoad(replicas: readonly TokenRequester[], knownClients: readonly string[]): Load {
  const [known, unknown]: [TokenResponse[], TokenResponse[]] = [[], []];
  const pending = new Set<Promise<unknown>>();
  let number = 0;
  const ask = (clientId: string, answers: TokenResponse[]) => {
    for (const replica of replicas) {
      const asking = replica(clientId).then((answer) => answers.push(answer));
      pending.add(asking);
      asking.finally(() => pending.delete(asking));
    }
  };
  const timers = [
    setInterval(() => ask(knownClients[number++ % knownClients.length] ?? '', known), KNOWN_INTERVAL),
    setInterval(() => ask(`nobody-${number++}`, unknown), UNKNOWN_INTERVAL),
  ];
  const stop = async () => {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(pending);
  };
  return { known, unknown, stop };
}
