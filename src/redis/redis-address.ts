import { isIP } from 'node:net';

/** Where Redis is, taken apart. */
export type RedisAddress = RedisTarget & {
  readonly credentials: Credentials;
  /** Over TLS or not; which CA and which certificate of ours is said elsewhere. */
  readonly isEncrypted: boolean;
  /** Selected by us: ioredis only mentions it when a SELECT fails, and goes on with database 0. */
  readonly database: number;
  /** For logs: without users and passwords. */
  readonly description: string;
};

export type RedisTarget =
  | { readonly kind: 'server'; readonly endpoint: Endpoint }
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly Endpoint[];
      /** The name under which the sentinels know the master. */
      readonly master: string;
      readonly sentinelCredentials: Credentials;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly Endpoint[] };

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/** `host:port`, an IPv6 address in brackets, as it stands in a URL. */
export function endpointText({ host, port }: Endpoint): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
