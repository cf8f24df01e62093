import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { mtlsHost, plainHost } from '../support/deployment.ts';
import { documentedBlock } from '../support/documented-blocks.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import type { Cluster } from './cluster.ts';
import { partsImage } from './part-images.ts';
import { configMap, namespace, secret } from './pods.ts';
import { apply, type Values } from './release.ts';
import { clientsConfigMap, commonValues, createPki, install, type Scenario } from './scenario.ts';

/** The chart with nginx in its Pods, as docs/gateways/nginx-sidecar.md describes it. */
export async function startSidecarScenario(cluster: Cluster, helm: string): Promise<Scenario> {
  const server = 'auth-sidecar';
  const pki = createPki();
  const read = (name: string) => parse(readFileSync(join(repositoryRoot, 'deploy/gateways', name), 'utf8'));
  const certificate = (host: string) => {
    const { pem, privateKeyPem } = pki.serverCa.issue({ eku: 'server', dns: [host] });
    return { 'tls.crt': pem, 'tls.key': privateKeyPem };
  };
  const { data } = read('nginx-sidecar.yaml');
  await apply(cluster, [namespace(server)]);
  await apply(cluster, [
    configMap(server, 'countersign-nginx', await documentedConfiguration()),
    configMap(server, 'countersign-nginx-main', data),
    secret(server, 'auth-tls', certificate(plainHost)),
    secret(server, 'mtls-auth-tls', certificate(mtlsHost)),
    clientsConfigMap(server, 'billing', ['billing']),
  ]);
  return install(cluster, { server, helm, values: valuesFrom(server, read('nginx-sidecar-values.yaml')), pki });
}

/** The documented values, with the images of this cluster, which has no load balancer. */
function valuesFrom(server: string, documented: Values & { extraInitContainers: readonly object[] }): Values {
  const { image, resources } = commonValues(server);
  const local = {
    image: partsImage,
    imagePullPolicy: 'Never',
    command: ['/usr/bin/nginx', '-e', 'stderr', '-g', 'daemon off;'],
  };
  return {
    ...documented,
    image,
    resources,
    clients: { configMaps: ['clients-billing'] },
    service: { type: 'NodePort', port: 443, targetPort: 8443 },
    extraInitContainers: documented.extraInitContainers.map((container) => ({ ...container, ...local })),
  };
}

/** What the documented commands make of the shipped files. */
async function documentedConfiguration(): Promise<Record<string, string>> {
  const cwd = temporaryDirectory();
  symlinkSync(join(repositoryRoot, 'nginx'), join(cwd, 'nginx'));
  const block = documentedBlock('docs/gateways/nginx-sidecar.md', 'sh', 'mkdir -p countersign-nginx');
  const [commands = ''] = block.split('kubectl');
  const { code, stderr } = await runProgram('bash', ['-e', '-c', commands], { cwd });
  if (code !== 0) throw new Error(stderr);
  const folder = join(cwd, 'countersign-nginx');
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}
