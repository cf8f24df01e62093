import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { PREFIX } from '../src/settings/settings.ts';
import { allSettings, variablesOf } from '../src/settings/table.ts';
import { blocksOf, type DocumentedBlock, documentationPages } from './support/documented-blocks.ts';
import { repositoryRoot } from './support/repository-root.ts';

/** What holds a block of the documentation: a test that runs it or compares it with its source, or why there is none. */
type Coverage = { readonly test: string } | { readonly notRun: string };

const by = (file: string): Coverage => ({ test: `test/${file}` });
const notRun = (reason: string): Coverage => ({ notRun: reason });

const readme = by('end-to-end/readme.test.ts');
const operate = by('end-to-end/operate-documented-commands.campaign.ts');
const development = by('end-to-end/operate-development-page.campaign.ts');
const keys = by('end-to-end/keys-documented-commands.campaign.ts');
const doctorRoute = by('support/edge-doctor.ts');
const api = by('support/documented-api.ts');
const output = notRun('the output of a command, with names and times of its own');
const diagram = notRun('a diagram');
const gateway = notRun('needs another gateway, or Kubernetes');
const gatewayPage = notRun('needs the gateway; npm run test:chart validates the manifests');
const partOfPod = notRun('a part of a pod; the chart has the whole one');
const docker = notRun('needs Docker; npm run test:image builds and runs the same without');
const registry = notRun('needs a registry, or a signature service');
const database = notRun('needs the database; the tests of the import run the query');
const dotNet = notRun('needs the .NET SDK');

/**
 * For each page, a text of each block and what covers it. The first row whose text is in a block counts, so specific rows
 * come first. A test that is named here names the page, and if it runs the block, the same text.
 */
const covered: Readonly<Record<string, readonly (readonly [text: string, Coverage])[]>> = {
  'README.md': [
    ['npm ci && npm start', readme],
    ['client_id=mtls.client', readme],
    ['"access_token"', notRun('compared in the test of the block before it')],
    ['"cnf"', readme],
    ['npm test', readme],
    ['/api/orders', readme],
    ['x-countersign-client-id', readme],
    ['openssl genpkey', readme],
    ['# clients.yaml', readme],
    ['clients check', readme],
    ['clients apply', readme],
    ['countersign serve', readme],
    ['client_id=billing', readme],
    ['node:https', readme],
    ['mutual TLS                  one header', diagram],
    ['npm run benchmark', notRun('takes ten minutes; test/benchmark/benchmark.test.ts has its options')],
  ],
  'CONTRIBUTING.md': [['npm run', by('documentation.test.ts')]],
  'docs/alerts.md': [
    ['/readyz', operate],
    ['cat server.log', operate],
    ['cat audit.log', operate],
    ['"path_expired"', operate],
    ['.serial_number', operate],
    ['"token_issued") | .client_id', operate],
  ],
  'docs/aspnet-core.md': [['', dotNet]],
  'docs/chains.md': [
    ['certificate new-ca.pem', operate],
    ['clients apply -f', operate],
    ['COUNTERSIGN_CRL_MODE', operate],
    ['tls_client_auth_ca', notRun('a part of a record; the whole one is in the section before it')],
    ["the certificate's chain is not verified", output],
    ['Verified certification path', output],
  ],
  'docs/clients.md': [
    ['openssl req -x509', operate],
    ['clients.yaml:12:5', operate],
    ['"clients": []', operate],
    ['volumeMounts:', partOfPod],
    ['yaml-language-server', notRun('a comment for editors')],
  ],
  'docs/configuration.md': [
    ['proxy-secret', operate],
    ['proxy_ssl_certificate ', by('end-to-end/https-trusted-proxy-nginx.test.ts')],
  ],
  'docs/containers.md': [
    ['docker compose', docker],
    ['docker build', docker],
  ],
  'docs/development.md': [
    ['--cert-type P12', development],
    ['passphrase', development],
    ['urlopen', development],
    ['class Token', development],
    ['LoadPkcs12FromFile', dotNet],
  ],
  'docs/doctor.md': [
    ['doctor --url https://auth.example', operate],
    ['doctor --edge', by('support/edge-doctor.ts')],
    ['location /countersign-doctor/', doctorRoute],
    ['prefix: /countersign-doctor/', doctorRoute],
    ['  - name: countersign-doctor', doctorRoute],
    ['kubectl port-forward', gateway],
    ['Requests without any forgery', output],
    ['the forged certificate was accepted', output],
    ['The proxy → the edge', output],
  ],
  'docs/edge.md': [
    ['EDGE_TERMINATOR', operate],
    ['--unix-socket', operate],
    ['X-Countersign-Client-Id: billing', operate],
    ['grant_types: []            # only at the edge', operate],
    ['type: ExternalAuth', gateway],
    ['kind: ClientTrafficPolicy', gateway],
    ['extensionProviders:', gateway],
    ['forward-auth:', gateway],
  ],
  'docs/keys.md': [
    ['export COUNTERSIGN_SIGNING_KEY_FILE', keys],
    ['export COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE', keys],
    ['keys create --key signing-key.pem', keys],
    ['cat key-encryption-key', keys],
    ['keys reseal', keys],
    ['keys rotate --now', keys],
    ['keys rotate\n', keys],
    ['retire KID --now', keys],
    ['keys create --dir', keys],
    ['countersign keys create\n', keys],
    ['kubectl get secret', keys],
    ['├── 2026-11-01.pem', notRun('a directory; test/settings has its rules')],
    ['secretName: countersign-signing-keys', partOfPod],
    ['kind: SecretProviderClass', notRun('needs the CSI driver and a cloud')],
  ],
  'docs/gateways/README.md': [['countersign doctor --url', gateway]],
  'docs/gateways/cert-manager.md': [
    ['kubectl apply', by('chart/gateways.campaign.ts')],
    ['create secret generic signing-key', gateway],
  ],
  'docs/gateways/envoy-gateway.md': [['helm install', by('chart/gateways.campaign.ts')]],
  'docs/gateways/istio.md': [['helm install', by('chart/gateways.campaign.ts')]],
  'docs/gateways/kgateway.md': [['helm install', by('chart/gateways.campaign.ts')]],
  'docs/gateways/nginx-gateway-fabric.md': [['helm install', by('chart/gateways.campaign.ts')]],
  'docs/gateways/nginx-sidecar.md': [['helm install', by('chart/gateways.campaign.ts')]],
  'docs/gateways/traefik.md': [['helm install', by('chart/gateways.campaign.ts')]],
  'docs/kubernetes.md': [
    ['upstream countersign', by('kubernetes/gateways.ts')],
    ['proxy_next_upstream', by('kubernetes/gateways.ts')],
    ['PreferDualStack', by('chart/matrix.ts')],
  ],
  'docs/manage-clients.md': [
    ['clients apply clients/', operate],
    ['"event":"client_changed"', notRun('a line of the log')],
    ['is shared by 3 clients', output],
    ['user administrator on', by('administration/record-store.test.ts')],
  ],
  'docs/move-from-identityserver.md': [
    ['import identityserver Config.cs', operate],
    ['appsettings.Production.json', by('end-to-end/clients-import.test.ts')],
    ['EmitStaticAudienceClaim', by('end-to-end/clients-import.test.ts')],
    ['options.json', by('end-to-end/clients-import.test.ts')],
    ['countersign clients check', operate],
    ['countersign token', operate],
    ['JsonSerializer.Serialize', operate],
    ['psql -At', database],
    ['sqlcmd -d', database],
    ['mysql --default', database],
    ['clients apply', operate],
    ['clients show --certificate', operate],
    ['.client_id == "billing"', operate],
    ['sort | uniq -c', operate],
    ['AddJwtBearer("IdentityServer"', dotNet],
  ],
  'docs/move-from-keycloak.md': [
    ['kc.sh export', notRun('needs Keycloak')],
    ['countersign clients check', operate],
    ['countersign token', operate],
  ],
  'docs/operate.md': [
    ['npm install --prefix', notRun('the commands are run elsewhere, the installation by npm run test:package')],
    ['GET countersign:keyring', keys],
    ['SETNX countersign:keyring', keys],
    ['clients apply clients-backup.yaml', keys],
    ['xargs', keys],
    ['systemd-run', notRun('needs systemd as the first process')],
    ['countersign serve --check', operate],
    ['enable --now', operate],
    ['upstream countersign', operate],
    ['proxy_next_upstream', operate],
    ['systemctl restart', operate],
    ['postrotate', operate],
    ['systemctl reload', operate],
  ],
  'docs/redis.md': [['user countersign-server', by('redis/documented-acl.test.ts')]],
  'docs/rejections.md': [['jq', operate]],
  'docs/releasing.md': [
    ['npm pack', notRun('npm run test:package packs and installs it')],
    ['npm publish', registry],
    ['.components[].purl', operate],
    ['trivy sbom', registry],
    ['docker buildx build', registry],
    ['helm package', registry],
    ['npm audit signatures', registry],
  ],
  'docs/terminators.md': [['', dotNet]],
  'docs/tokens.md': [
    ['/introspect', operate],
    ['"active": true', operate],
    ['/revoke', operate],
    ['tokens revoke --client', operate],
    ['countersign token ', operate],
    ['introspection: [invoices-api]', operate],
  ],
  'docs/troubleshooting.md': [
    ['countersign token', operate],
    ['jq', operate],
  ],
  'docs/performance.md': [['npm run benchmark', notRun('takes ten minutes; benchmark.test.ts has its options')]],
  'docs/verify-tokens.md': [['', api]],
};

/** Blocks that the same rule covers on every page. */
function coverageByKind({ page, language, text }: DocumentedBlock): Coverage | undefined {
  if (language === 'mermaid') return diagram;
  if (/^[- ]+(?:client_id|binding):/m.test(text) && language === 'yaml')
    return by('clients/documented-records.test.ts');
  if (page.startsWith('docs/gateways/') && /kubectl|helm|countersign doctor/.test(text)) return gatewayPage;
  const isSettings = language === 'sh' && text.split('\n').every((line) => /^(?:export COUNTERSIGN_.*)?$/.test(line));
  return isSettings ? by('documented-blocks.test.ts') : undefined;
}

const blocks = documentationPages.flatMap(blocksOf);
const rowOf = ({ page, text }: DocumentedBlock) => covered[page]?.find(([part]) => text.includes(part));
const placeOf = ({ page, line }: DocumentedBlock) => `${page}:${line}`;

describe('the blocks of the documentation', () => {
  test('are all covered by a test, or by the reason why there is none', () => {
    const open = blocks.filter((block) => rowOf(block) === undefined && coverageByKind(block) === undefined);
    expect(open.map(placeOf), 'run it in a test, and add a row to the table above').toEqual([]);
  });

  test('are found by every row of the table', () => {
    const used = new Set(blocks.map(rowOf));
    const stale = Object.entries(covered).flatMap(([page, rows]) =>
      rows.filter((row) => !used.has(row)).map(([part]) => `${page}: ${part}`),
    );
    expect(stale).toEqual([]);
  });

  test('are looked up by the tests that the table names', () => {
    const lookups = Object.entries(covered).flatMap(([page, rows]) =>
      rows.flatMap(([part, coverage]) => ('test' in coverage ? [{ page, part, file: coverage.test }] : [])),
    );
    const missing = lookups.filter(({ page, part, file }) => {
      const text = existsSync(join(repositoryRoot, file)) ? readFileSync(join(repositoryRoot, file), 'utf8') : '';
      const namesPart = text.includes(part.replaceAll('\n', String.raw`\n`));
      return !text.includes(page) || (text.includes('documentedBlock(') && !namesPart);
    });
    expect(missing).toEqual([]);
  });

  test('name settings that exist', () => {
    const known = new Set(allSettings.flatMap(variablesOf).map((name) => PREFIX + name));
    const unknown = blocks.flatMap((block) =>
      [...block.text.matchAll(/\bCOUNTERSIGN_[A-Z0-9_]+/g)]
        .filter(([name]) => !known.has(name))
        .map(([name]) => `${placeOf(block)}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  test('are valid JSON or YAML where they are labelled as such', () => {
    const errors = blocks.flatMap((block) => problemsOf(block).map((problem) => `${placeOf(block)}: ${problem}`));
    expect(errors).toEqual([]);
  });
});

/** JSON is also YAML, but not the other way round. */
function problemsOf({ language, text }: DocumentedBlock): readonly string[] {
  if (language === 'yaml') return parseAllDocuments(text).flatMap(({ errors }) => errors.map(({ message }) => message));
  if (language !== 'json') return [];
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    return [String(error)];
  }
}
