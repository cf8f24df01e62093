import type { TestCa } from '../support/certificates.ts';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { documentedBlock } from '../support/documented-blocks.ts';
import { shippedConfiguration } from '../support/nginx-configuration.ts';
import { shippedFile } from '../support/shipped-text.ts';
import { deploymentOf, type Manifest, type PartOptions, secret, serviceOf } from './pods.ts';

export interface GatewayOptions {
  readonly namespace: string;
  /** `NAME.NAMESPACE.svc.cluster.local:PORT` of Countersign's Service. */
  readonly service: string;
  readonly proxySecret: string;
  /** Issues the certificates of both hosts. */
  readonly serverCa: TestCa;
  /** The CA certificates of clients, PEM. */
  readonly clientCas: string;
}

/** nginx with the shipped files. What a Pod needs instead of a machine is replaced. */
export function nginxManifests(options: GatewayOptions): Manifest[] {
  const { namespace, service } = options;
  const part: PartOptions = {
    namespace,
    name: 'nginx',
    command: ['/usr/bin/nginx', '-e', 'stderr', '-c', '/etc/nginx/nginx.conf'],
    port: 443,
    onNodes: true,
    volumes: [
      { name: 'main', mountPath: '/etc/nginx' },
      { name: 'countersign', mountPath: '/etc/nginx/countersign' },
    ],
  };
  const page = 'docs/kubernetes.md';
  const documented = { 'countersign.auth.svc.cluster.local:8080': service };
  const files = shippedConfiguration({
    replace: [
      [unixUpstream, documentedBlock(page, 'nginx', 'upstream countersign', documented)],
      [
        'proxy_set_header X-Countersign-Proxy-Secret "";',
        `include /etc/nginx/countersign/proxy-secret.conf;\n${documentedBlock(page, 'nginx', 'proxy_next_upstream')}`,
      ],
      ['/var/log/nginx/countersign-rejected.log', '/dev/stdout'],
    ],
  });
  const secrets = {
    ...certificateFiles(options),
    'proxy-secret.conf': `proxy_set_header X-Countersign-Proxy-Secret ${options.proxySecret};\n`,
  };
  return [
    secret(namespace, 'nginx', { 'nginx.conf': mainConfiguration }),
    secret(namespace, 'nginx-countersign', { ...files, ...secrets }),
    serviceOf(part),
    deploymentOf(part, [
      { name: 'main', secret: { secretName: 'nginx' } },
      { name: 'countersign', secret: { secretName: 'nginx-countersign' } },
    ]),
  ];
}

const unixUpstream = `upstream countersign {
    server unix:/run/countersign/countersign.sock;
    keepalive 32;
}
`;

const temporaryPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
  (name) => `${name}_temp_path /tmp/${name};`,
);

const mainConfiguration = `
daemon off;
pid /tmp/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log off;
  ${temporaryPaths.join('\n  ')}
  include /etc/nginx/countersign/countersign.conf;
}
`;

/** Envoy with the shipped configuration. */
export function envoyManifests(options: GatewayOptions): Manifest[] {
  const { namespace, service, proxySecret } = options;
  const part: PartOptions = {
    namespace,
    name: 'envoy',
    command: ['/usr/bin/envoy', '-c', '/etc/envoy/countersign/envoy.yaml', '--concurrency', '1'],
    port: 443,
    onNodes: true,
    volumes: [{ name: 'countersign', mountPath: '/etc/envoy/countersign' }],
  };
  const [host, port] = service.split(':');
  const configuration = shippedFile('deploy/terminators/envoy.yaml', [
    ['type: STATIC', 'type: STRICT_DNS'],
    ['pipe: { path: /run/countersign/countersign.sock }', `socket_address: { address: ${host}, port_value: ${port} }`],
    ['# request_headers_to_add:', 'request_headers_to_add:'],
    [
      '# - header: { key: x-countersign-proxy-secret, value: "..." }',
      `- header: { key: x-countersign-proxy-secret, value: "${proxySecret}" }`,
    ],
    ['#   append_action: OVERWRITE_IF_EXISTS_OR_ADD', '  append_action: OVERWRITE_IF_EXISTS_OR_ADD'],
  ]);
  return [
    secret(namespace, 'envoy-countersign', { ...certificateFiles(options), 'envoy.yaml': configuration }),
    serviceOf(part),
    deploymentOf(part, [{ name: 'countersign', secret: { secretName: 'envoy-countersign' } }]),
  ];
}

/** With the names that the shipped configurations have. */
function certificateFiles({ serverCa, clientCas }: GatewayOptions): Record<string, string> {
  const files: Record<string, string> = { 'client-ca.pem': clientCas };
  for (const host of [plainHost, mtlsHost]) {
    const { pem, privateKeyPem } = serverCa.issue({ eku: 'server', dns: [host] });
    files[`${host}.pem`] = pem;
    files[`${host}-key.pem`] = privateKeyPem;
  }
  return files;
}
