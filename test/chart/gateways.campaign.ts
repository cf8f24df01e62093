import { cpSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { customResourceValidator, type ResourceValidator } from './custom-resources.ts';
import { chartFolder, helmVersions, kubernetesTools, parseManifests } from './helm.ts';
import { schemaViolations } from './kubernetes-schemas.ts';
import { find, type Manifest } from './manifest.ts';
import { securityViolations } from './restricted.ts';

const MINUTES = 60_000;
const folder = join(repositoryRoot, 'deploy/gateways');
const files = globSync('*.yaml', { cwd: folder }).sort();
const recipes = files.filter((file) => !file.endsWith('-values.yaml')).map((file) => basename(file, '.yaml'));
const withValues = recipes.filter((recipe) => files.includes(`${recipe}-values.yaml`));
const manifestsOf = (recipe: string) => parseManifests(readFileSync(join(folder, `${recipe}.yaml`), 'utf8'));

/** Of kinds whose definitions are in no Go module that can be downloaded. docs/gateways states that. */
const undefinedKinds = ['SnippetsFilter'];

let validate: ResourceValidator;
beforeAll(() => {
  validate = customResourceValidator();
}, 10 * MINUTES);

const isCore = ({ apiVersion }: Manifest) => /^(v1|apps\/v1|rbac\.authorization\.k8s\.io\/v1)$/.test(apiVersion);
const violations = (manifest: Manifest) => (isCore(manifest) ? schemaViolations('1.37', manifest) : validate(manifest));

test('each recipe has a page, and each page is listed', () => {
  const found = globSync('*.md', { cwd: join(repositoryRoot, 'docs/gateways') }).map((file) => basename(file, '.md'));
  expect(found.filter((page) => page !== 'README').sort()).toEqual(recipes);
  const index = readFileSync(join(repositoryRoot, 'docs/gateways/README.md'), 'utf8');
  expect(recipes.filter((recipe) => !index.includes(`(${recipe}.md)`))).toEqual([]);
});

/** The commands of each page, with the values and the manifests of the other tests. */
const pages = [
  'docs/gateways/cert-manager.md',
  'docs/gateways/envoy-gateway.md',
  'docs/gateways/istio.md',
  'docs/gateways/kgateway.md',
  'docs/gateways/nginx-gateway-fabric.md',
  'docs/gateways/nginx-sidecar.md',
  'docs/gateways/traefik.md',
];

test.each(pages)('%s installs the chart with its values, and its manifests', (page) => {
  const recipe = basename(page, '.md');
  const text = readFileSync(join(repositoryRoot, page), 'utf8');
  const lines = text.split('\n');
  const install = 'helm install countersign deploy/helm/countersign --namespace auth';
  expect(lines).toContain(`kubectl apply -f deploy/gateways/${recipe}.yaml`);
  if (withValues.includes(recipe)) expect(lines).toContain(`${install} --values deploy/gateways/${recipe}-values.yaml`);
});

test('docs/gateways/nginx-sidecar.md adapts the shipped files for a port without privileges', async () => {
  const text = readFileSync(join(repositoryRoot, 'docs/gateways/nginx-sidecar.md'), 'utf8');
  const script = /^mkdir [\s\S]*?^done$/m.exec(text)?.[0] ?? '';
  const cwd = temporaryDirectory();
  cpSync(join(repositoryRoot, 'nginx'), join(cwd, 'nginx'), { recursive: true });
  const { code, stderr } = await runProgram('sh', ['-euc', script], { cwd });
  expect([code, stderr]).toEqual([0, '']);
  const adapted = (file: string) => readFileSync(join(cwd, 'countersign-nginx', file), 'utf8');
  const ports = [...adapted('countersign.conf').matchAll(/^ *listen (?:\[::\]:)?(\d+)/gm)].map(([, port]) => port);
  expect([ports.length > 0, new Set(ports)]).toEqual([true, new Set(['8443'])]);
  expect(adapted('json-errors.conf')).toContain('access_log /dev/stdout ');
});

/** By default, nginx does so after 60 s, and the others after 90 s or an hour. */
test.each(['envoy-gateway', 'istio', 'kgateway', 'traefik'])(
  'deploy/gateways/%s.yaml closes idle connections before Countersign does',
  (recipe) => {
    expect(readFileSync(join(folder, `${recipe}.yaml`), 'utf8')).toMatch(/idle(?:Conn)?Timeout: 60s/i);
  },
);

describe.each(recipes)('deploy/gateways/%s.yaml', (recipe) => {
  test('has valid objects', () => {
    const defined = manifestsOf(recipe).filter(({ kind }) => !undefinedKinds.includes(kind));
    expect(defined.length).toBeGreaterThan(0);
    expect(defined.flatMap(violations)).toEqual([]);
    expect(defined.flatMap(securityViolations)).toEqual([]);
  });

  test('is invalid with a field that does not exist', () => {
    const [manifest] = manifestsOf(recipe).filter(({ spec, data }) => spec ?? data);
    if (!manifest) throw new Error(`${recipe} has no object with a spec`);
    const misspelled = manifest.spec
      ? { ...manifest, spec: { ...manifest.spec, speck: {} } }
      : { ...manifest, dota: {} };
    expect(violations(misspelled)).toEqual([expect.stringContaining('must NOT have additional properties')]);
  });
});

/** The objects of the release that the pages install. */
async function renderRecipe(recipe: string): Promise<readonly Manifest[]> {
  const values = ['--values', join(folder, `${recipe}-values.yaml`)];
  const args = ['template', 'countersign', chartFolder, '--namespace', 'auth', ...values];
  const { code, stdout, stderr } = await runProgram(kubernetesTools(helmVersions[1]).helm, args);
  expect(code, stderr).toBe(0);
  return parseManifests(stdout.toString());
}

describe.each(withValues)('the chart with deploy/gateways/%s-values.yaml', (recipe) => {
  test('has valid objects and restricted pods', async () => {
    const manifests = await renderRecipe(recipe);
    expect(manifests.flatMap((manifest) => schemaViolations('1.37', manifest))).toEqual([]);
    expect(manifests.flatMap(securityViolations)).toEqual([]);
  });

  test('has the Service, with the port, to which the gateway sends requests', async () => {
    const service = find(await renderRecipe(recipe), 'Service', 'countersign');
    const text = readFileSync(join(folder, `${recipe}.yaml`), 'utf8');
    const ports = [...text.matchAll(/(?:- name: countersign\n +port:|port:\n +number:) (\d+)/g)].map(([, port]) =>
      Number(port),
    );
    expect(service.metadata.name).toBe('countersign');
    if (recipe !== 'nginx-sidecar') expect(new Set(ports)).toEqual(new Set([8080]));
    expect(service.spec?.ports).toMatchObject([{ port: recipe === 'nginx-sidecar' ? 443 : 8080 }]);
  });
});

test('the gateways present, and Countersign requires, a certificate with the same name', () => {
  const names = manifestsOf('cert-manager')
    .filter(({ metadata }) => metadata.name === 'gateway-client')
    .map(({ spec }) => spec?.dnsNames);
  for (const recipe of withValues.filter((each) => each !== 'nginx-sidecar')) {
    const values = parse(readFileSync(join(folder, `${recipe}-values.yaml`), 'utf8'));
    expect([values.proxyTrust.gatewayCertificate.names], recipe).toEqual(names);
  }
});

/** What a policy approves: a namespace, an issuer, and the names that a certificate may have. */
interface Policy {
  readonly selector: {
    readonly issuerRef: { readonly name: string };
    readonly namespace: { readonly matchNames: readonly string[] };
  };
  readonly allowed: {
    readonly isCA?: boolean;
    readonly commonName?: { readonly value: string };
    readonly dnsNames?: { readonly values: readonly string[] };
    readonly usages: readonly string[];
  };
}

test('each certificate is approved by exactly one policy, and no policy approves what is not there', () => {
  const manifests = manifestsOf('cert-manager');
  // Safe: validated against their definitions.
  const specs = (kind: string) => manifests.filter((each) => each.kind === kind).map((each) => each.spec as unknown);
  const policies = specs('CertificateRequestPolicy') as Policy[];
  const names = (kind: string) => manifests.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);
  const covers = ({ selector, allowed }: Policy, { metadata, spec = {} }: Manifest) =>
    selector.issuerRef.name === (spec.issuerRef as { name: string }).name &&
    selector.namespace.matchNames.includes(metadata.namespace ?? '') &&
    (allowed.isCA ?? false) === (spec.isCA ?? false) &&
    ((spec.dnsNames ?? []) as string[]).every((name) => allowed.dnsNames?.values.includes(name)) &&
    ((spec.usages ?? []) as string[]).every((usage) => allowed.usages.includes(usage)) &&
    (spec.commonName === undefined || allowed.commonName !== undefined);
  const certificates = manifests.filter(({ kind }) => kind === 'Certificate');
  const approvals = certificates.map((each) => [
    each.metadata.name,
    policies.filter((policy) => covers(policy, each)).length,
  ]);
  expect(approvals).toEqual(certificates.map(({ metadata }) => [metadata.name, 1]));
  const approved = policies.flatMap(({ allowed }) => allowed.dnsNames?.values ?? []);
  expect(approved.sort()).toEqual(certificates.flatMap(({ spec }) => (spec?.dnsNames ?? []) as string[]).sort());
  // Only cert-manager may use them, and the issuer of SPIFFE IDs has none.
  const role = find(manifests, 'ClusterRole') as Manifest & { rules: { resourceNames: string[] }[] };
  expect(role.rules[0]?.resourceNames).toEqual(names('CertificateRequestPolicy'));
  expect(policies.map(({ selector }) => selector.issuerRef.name)).not.toContain('spiffe-ca');
});
