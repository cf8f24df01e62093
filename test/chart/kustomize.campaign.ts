import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { chartFolder, helmVersions, kubernetesTools, parseManifests } from './helm.ts';
import { schemaViolations } from './kubernetes-schemas.ts';
import { find, type Manifest, podSpecOf, serverEnvironment } from './manifest.ts';
import { securityViolations } from './restricted.ts';

const folder = join(repositoryRoot, 'deploy/kustomize');

beforeAll(() => void kubernetesTools(4), 600_000);

/** What is about Helm, or about the namespace of the release. */
function withoutHelm(object: unknown): unknown {
  if (Array.isArray(object)) return object.map(withoutHelm);
  if (typeof object !== 'object' || object === null) return object;
  const kept = Object.entries(object).filter(([name, value]) => {
    return name !== 'helm.sh/chart' && value !== 'Helm' && !(name === 'namespace' && value === 'default');
  });
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutHelm(value)]));
}

async function renderBase(): Promise<readonly Manifest[]> {
  const values = ['--values', join(folder, 'values.yaml')];
  const { code, stdout, stderr } = await runProgram(kubernetesTools(4).helm, [
    'template',
    'countersign',
    chartFolder,
    ...values,
  ]);
  expect(code, stderr).toBe(0);
  return parseManifests(stdout.toString());
}

test('deploy/kustomize/base is what the chart renders: npm run test:chart -- kustomize --update writes it', async () => {
  const documents = (await renderBase()).map((manifest) => stringify(withoutHelm(manifest), { lineWidth: 0 }));
  const text = `# Rendered from deploy/helm/countersign by npm run test:chart -- kustomize --update\n${documents.join('---\n')}`;
  await expect(text).toMatchFileSnapshot(join(folder, 'base/countersign.yaml'));
});

test('the modes of secret files mean the same in YAML 1.1 and 1.2', () => {
  const text = readFileSync(join(folder, 'base/countersign.yaml'), 'utf8');
  const modes = [...text.matchAll(/defaultMode: (.*)/g)].map(([, mode]) => Number(mode).toString(8));
  expect(new Set(modes)).toEqual(new Set(['440']));
});

describe.each(helmVersions)(
  'the overlay of deploy/kustomize/example, built by the kubectl beside Helm %i,',
  (version) => {
    const build = async () => {
      const { code, stdout, stderr } = await runProgram(kubernetesTools(version).kubectl, [
        'kustomize',
        join(folder, 'example'),
      ]);
      expect([code, stderr]).toEqual([0, '']);
      return parseManifests(stdout.toString());
    };

    test('is valid, restricted, and has nothing of Helm', async () => {
      const manifests = await build();
      expect(manifests.flatMap((manifest) => schemaViolations('1.37', manifest))).toEqual([]);
      expect(manifests.flatMap(securityViolations)).toEqual([]);
      expect(JSON.stringify(manifests)).not.toMatch(/helm/i);
      expect(new Set(manifests.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['auth']));
    });

    test('has what it replaces', async () => {
      const manifests = await build();
      expect(serverEnvironment(manifests)).toMatchObject({
        COUNTERSIGN_ISSUER: 'https://tokens.company.example',
        COUNTERSIGN_TERMINATOR: 'nginx',
      });
      const [server] = podSpecOf(find(manifests, 'Deployment'))?.containers ?? [];
      expect(server?.image).toBe('registry.company.example/countersign:0.1.0');
      expect(find(manifests, 'ConfigMap').metadata.name).toBe('countersign-clients');
      const gateway = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } } };
      expect(find(manifests, 'NetworkPolicy').spec).toMatchObject({ ingress: [{ from: [gateway] }] });
    });
  },
);
