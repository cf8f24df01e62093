import packageJson from '../../package.json' with { type: 'json' };
import { edgePaths } from './edge.ts';
import { operationsPaths } from './operations.ts';
import { publicPaths } from './public.ts';
import { schemas } from './schemas.ts';

const server = (url: string, description: string) => ({ url, description });

const servers = {
  public: server('https://auth.example', 'The issuer, or the mutual TLS base URL'),
  edge: server('http://127.0.0.1:8081', 'The edge listener (COUNTERSIGN_EDGE_LISTEN), for proxies'),
  operations: server('http://127.0.0.1:9090', 'The operations listener (COUNTERSIGN_OPERATIONS_LISTEN)'),
};

/** The HTTP interface as an OpenAPI 3.1 document. */
export function openapiDocument() {
  const at = (paths: object, on: object) =>
    Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, { servers: [on], ...item }]));
  return {
    openapi: '3.1.1',
    info: {
      title: 'Countersign',
      version: packageJson.version,
      description: packageJson.description,
      license: { name: 'Apache License 2.0', identifier: packageJson.license },
    },
    servers: [servers.public],
    tags: [
      { name: 'Clients', description: 'For clients, with their certificate' },
      { name: 'Documents', description: 'For everyone' },
      { name: 'Edge', description: 'For proxies' },
      { name: 'Operations', description: 'For operators' },
    ],
    paths: { ...publicPaths, ...at(edgePaths, servers.edge), ...at(operationsPaths, servers.operations) },
    components: {
      schemas,
      securitySchemes: {
        mutualTLS: {
          type: 'mutualTLS',
          description:
            'The TLS terminator requests the client certificate and forwards it. The request names the client by client_id.',
        },
      },
    },
  } as const;
}
