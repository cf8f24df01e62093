import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CertificateOptions, createTestCa } from '../support/certificates.ts';

/** The first node, which runs the API server; the address of its Service. */
const API_ADDRESS = '10.250.0.1';
const API_SERVICE_ADDRESS = '10.96.0.1';

/** Writes the keys, certificates and kubeconfigs of a cluster with these nodes, for cluster.sh. */
export function writeClusterPki(directory: string, nodes: readonly string[]): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const ca = createTestCa({ subject: [['CN', 'kubernetes']] });
  ca.writeTo(directory, 'ca');
  createTestCa({ subject: [['CN', 'front-proxy']] }).writeTo(directory, 'front-proxy-ca');
  const issue = (name: string, options: CertificateOptions) => {
    const certificate = ca.issue(options);
    certificate.writeTo(directory, name);
    return certificate;
  };
  const user = (name: string, commonName: string, options: CertificateOptions = {}, group?: string) => {
    const subject = [...(group ? [['O', group] as const] : []), ['CN', commonName] as const];
    const { pem, privateKeyPem } = issue(name, { subject, ...options });
    writeFileSync(join(directory, `${name}.kubeconfig`), kubeconfig(ca.pem, pem, privateKeyPem), { mode: 0o600 });
  };

  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  issue('apiserver', { eku: 'server', dns: names, ips: ['127.0.0.1', API_ADDRESS, API_SERVICE_ADDRESS] });
  user('apiserver-kubelet', 'apiserver-kubelet', {}, 'system:masters');
  user('admin', 'admin', {}, 'system:masters');
  user('controllers', 'system:kube-controller-manager');
  user('scheduler', 'system:kube-scheduler');
  user('kube-proxy', 'system:kube-proxy');
  for (const [index, node] of nodes.entries()) {
    const options = { eku: 'client+server', dns: [node], ips: [`10.250.0.${index + 1}`] } as const;
    user(`kubelet-${node}`, `system:node:${node}`, options, 'system:nodes');
  }
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(join(directory, 'service-accounts-key.pem'), key, { mode: 0o600 });
  writeFileSync(join(directory, 'service-accounts-public.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
}

/** JSON is YAML. */
function kubeconfig(ca: string, certificate: string, key: string): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [
      {
        name: 'test',
        cluster: { server: `https://${API_ADDRESS}:6443`, 'certificate-authority-data': base64(ca) },
      },
    ],
    users: [
      {
        name: 'test',
        user: { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) },
      },
    ],
  });
}
