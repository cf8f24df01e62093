import { startTokenLoad } from '../rotation/token-load.ts';
import type { MintedCertificate } from '../support/certificates.ts';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { eventually } from '../support/eventually.ts';
import { sendRequest } from '../support/raw-http.ts';
import { PATIENCE } from './release.ts';

/** How many requests are in flight at once. */
export const LOAD_CONNECTIONS = 8;

/** What happened to the requests of clients while an action took place. */
export interface LoadResult {
  readonly tokens: number;
  /** Responses without a token, by status; 0 for a closed connection. */
  readonly failures: Readonly<Record<string, number>>;
}

/** A client outside the cluster. */
export interface OutsideClient {
  /** One request: the status of the response. Default: its own certificate and `client_id`. */
  readonly requestToken: (identity?: MintedCertificate, clientId?: string) => Promise<number>;
  /** How many keys the JWKS has. */
  readonly publishedKeys: () => Promise<number>;
  /** Constant requests, from before the action until after it. */
  readonly underLoad: (action: () => Promise<unknown>) => Promise<LoadResult>;
}

export interface OutsideClientOptions {
  /** A Unix socket that is connected to the gateway. */
  readonly socket: string;
  /** The CA of the gateway's certificates, PEM. */
  readonly serverCa: string;
  readonly clientId: string;
  readonly identity: MintedCertificate;
}

export function outsideClient({ socket, serverCa, clientId, identity }: OutsideClientOptions): OutsideClient {
  const tls = ({ pem, privateKeyPem }: MintedCertificate) => ({ ca: serverCa, cert: pem, key: privateKeyPem });
  const form = (id: string) => ({ grant_type: 'client_credentials', client_id: id });
  return {
    requestToken: async (presented = identity, id = clientId) => {
      const request = { lines: [`Host: ${mtlsHost}`, 'Connection: close'], body: form(id) };
      const { status } = await sendRequest(`unix:${socket}`, request, {
        tls: { ...tls(presented), servername: mtlsHost },
      });
      return status;
    },
    publishedKeys: async () => {
      const request = { method: 'GET', path: '/jwks', lines: [`Host: ${plainHost}`, 'Connection: close'] };
      const { body } = await sendRequest(`unix:${socket}`, request, { tls: { ca: serverCa, servername: plainHost } });
      return JSON.parse(body).keys.length;
    },
    underLoad: async (action) => {
      let tokens = 0;
      const onToken = async () => {
        tokens += 1;
      };
      const options = { port: socket, host: mtlsHost, tls: tls(identity), body: form(clientId), pause: 20, onToken };
      const connections = LOAD_CONNECTIONS / 2;
      const loads = [
        startTokenLoad({ ...options, connections }),
        startTokenLoad({ ...options, connections, lines: ['Connection: close'] }),
      ];
      const moreTokens = async (count: number) => {
        const goal = tokens + count;
        await eventually(
          () => tokens >= goal,
          () => `${goal - tokens} of ${count} tokens are missing`,
          PATIENCE,
        );
      };
      try {
        await moreTokens(50);
        await action();
        await moreTokens(100);
      } finally {
        await Promise.all(loads.map(({ stop }) => stop()));
      }
      const failures: Record<string, number> = {};
      for (const [status, count] of loads.flatMap((load) => [...load.failures]))
        failures[status] = (failures[status] ?? 0) + count;
      return { tokens, failures };
    },
  };
}
