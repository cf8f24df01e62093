import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TLS_CIPHERS } from '../src/http/tls.ts';
import { repositoryRoot } from './support/repository-root.ts';

/** The directive for the cipher suites of one server certificate, in each shipped file that names such certificates. */
const directives: Readonly<Record<string, RegExp>> = {
  'nginx/countersign.conf': /^ +include \/etc\/nginx\/countersign\/tls\.conf;$/gm,
  'deploy/terminators/apache.conf': /^ +Include \/etc\/apache2\/countersign\/apache-forward\.conf$/gm,
  'deploy/terminators/envoy.yaml': /^ +tls_params: [&*]tls_params$/gm,
  'deploy/terminators/Caddyfile': /^\t+import strong_tls$/gm,
  // The options of Traefik apply to all certificates of the routers that use them.
  'deploy/terminators/traefik-dynamic.yaml': /^ +cipherSuites: [&*]cipher_suites$/gm,
  // One directive for the whole list.
  'deploy/terminators/haproxy.crt-list': /^ +bind :443 ssl crt-list \S+\/haproxy\.crt-list .*\bciphers ECDHE\S+ /gm,
};

/** Files that a file of the table includes, or that include it. */
const included: Readonly<Record<string, string>> = {
  'nginx/countersign.conf': 'nginx/tls.conf',
  'deploy/terminators/apache.conf': 'deploy/terminators/apache-forward.conf',
  'deploy/terminators/haproxy.crt-list': 'deploy/terminators/haproxy.cfg',
};

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const withIncluded = (path: string) => read(path) + (included[path] ? read(included[path]) : '');
const serverCertificates = (text: string) => text.match(/^[^#\n]*\/(?:mtls\.)?auth\.example\.pem/gm) ?? [];

test('every shipped file that names a server certificate is in the table', () => {
  const files = ['nginx', 'deploy/terminators'].flatMap((folder) =>
    readdirSync(join(repositoryRoot, folder)).map((name) => `${folder}/${name}`),
  );
  const naming = files.filter((path) => serverCertificates(read(path)).length > 0);
  expect(naming.sort()).toEqual(Object.keys(directives).sort());
});

test.each(Object.entries(directives))('%s sets the cipher suites for each server certificate', (path, directive) => {
  const text = withIncluded(path);
  const certificates = path.endsWith('crt-list') ? 1 : serverCertificates(text).length;
  expect(text.match(directive)?.length ?? 0).toBeGreaterThanOrEqual(certificates);
});

/** In the names of OpenSSL, which Envoy uses too, or those of the registry, as Go writes them. */
const suites = TLS_CIPHERS.split(':').filter((name) => !name.startsWith('TLS_'));
const registryName = (name: string) => {
  const [, key, mode = ''] = /^ECDHE-(\w+)-(.*)$/.exec(name) ?? [];
  const spelled = mode.replace('AES', 'AES_').replaceAll('-', '_').replace('POLY1305', 'POLY1305_SHA256');
  return `TLS_ECDHE_${key}_WITH_${spelled}`;
};

test.each(Object.keys(directives))('%s sets exactly the six AEAD suites with forward secrecy', (path) => {
  const named = new Set(withIncluded(path).match(/\b(?:ECDHE-[\w-]+|TLS_\w+_WITH_\w+)/g));
  const usesRegistryNames = /Caddyfile|traefik/.test(path);
  expect([...named].sort()).toEqual(suites.map((name) => (usesRegistryNames ? registryName(name) : name)).sort());
  expect(suites).toHaveLength(6);
});
