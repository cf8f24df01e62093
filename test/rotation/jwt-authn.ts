import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { plainHost } from '../support/deployment.ts';
import { startEnvoy } from '../support/envoy.ts';
import { freePort } from '../support/free-port.ts';
import type { RunningTerminator } from '../support/shipped-terminator.ts';

/** An API behind the real Envoy, whose `jwt_authn` admits valid tokens. */
export interface ProtectedApi extends Omit<RunningTerminator, 'errors'> {
  /** Resolves to undefined if Envoy admits the token, otherwise to its reason. */
  readonly rejects: (token: string) => Promise<string | undefined>;
}

export interface ProtectedApiOptions {
  readonly directory: string;
  readonly issuer: string;
  /** The port of the terminator in front of the issuer. */
  readonly port: number;
  readonly audience: string;
  /** Seconds, at least 1: `cache_duration` has no smaller unit. */
  readonly cacheDuration: number;
}

/** @param options `directory` is where the deployment has its server certificates */
export async function startProtectedApi(options: ProtectedApiOptions): Promise<ProtectedApi> {
  const port = await freePort();
  const configuration = JSON.stringify(envoyConfiguration(port, options));
  const envoy = await startEnvoy({ configuration, ports: [port], directory: options.directory });
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const rejects = (token: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    const headers = { authorization: `Bearer ${token}` };
    const outgoing = request({ agent, host: '127.0.0.1', port, headers }, async (response) => {
      const body = (await response.toArray()).join('');
      resolve(response.statusCode === 200 ? undefined : `${response.statusCode} ${body}`);
    });
    outgoing.once('error', reject).end();
    return promise;
  };
  const stop = () => {
    agent.destroy();
    return envoy.stop();
  };
  return { pid: envoy.pid, rejects, stop };
}

function envoyConfiguration(ownPort: number, options: ProtectedApiOptions) {
  const { issuer, port, audience, directory, cacheDuration } = options;
  const extension = (name: string, type: string, fields: object) => ({
    name,
    typed_config: { '@type': `type.googleapis.com/envoy.extensions.${type}`, ...fields },
  });
  const address = (port_value: number) => ({ socket_address: { address: '127.0.0.1', port_value } });
  const jwtAuthentication = {
    providers: {
      countersign: {
        issuer,
        audiences: [audience],
        remote_jwks: {
          http_uri: { uri: `${issuer}/jwks`, cluster: 'countersign', timeout: '10s' },
          cache_duration: { seconds: cacheDuration },
        },
      },
    },
    rules: [{ match: { prefix: '/' }, requires: { provider_name: 'countersign' } }],
  };
  const connectionManager = {
    stat_prefix: 'api',
    route_config: {
      virtual_hosts: [
        { name: 'api', domains: ['*'], routes: [{ match: { prefix: '/' }, direct_response: { status: 200 } }] },
      ],
    },
    http_filters: [
      extension('envoy.filters.http.jwt_authn', 'filters.http.jwt_authn.v3.JwtAuthentication', jwtAuthentication),
      extension('envoy.filters.http.router', 'filters.http.router.v3.Router', {}),
    ],
  };
  const manager = 'filters.network.http_connection_manager';
  const tls = {
    sni: plainHost,
    common_tls_context: { validation_context: { trusted_ca: { filename: join(directory, 'server-ca.pem') } } },
  };
  return {
    static_resources: {
      listeners: [
        {
          address: address(ownPort),
          filter_chains: [
            { filters: [extension(`envoy.${manager}`, `${manager}.v3.HttpConnectionManager`, connectionManager)] },
          ],
        },
      ],
      clusters: [
        {
          name: 'countersign',
          type: 'STATIC',
          load_assignment: {
            cluster_name: 'countersign',
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }],
          },
          transport_socket: extension(
            'envoy.transport_sockets.tls',
            'transport_sockets.tls.v3.UpstreamTlsContext',
            tls,
          ),
        },
      ],
    },
  };
}
