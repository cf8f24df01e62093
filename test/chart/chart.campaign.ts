import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { allSettings, variablesOf } from '../../src/settings/table.ts';
import { describeWith } from '../support/describe-with.ts';
import { programPath } from '../support/program-path.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { customResourceValidator, type ResourceValidator } from './custom-resources.ts';
import {
  type ChartValues,
  chartFolder,
  helm,
  helmVersions,
  kubernetesTools,
  parseManifests,
  renderChart,
} from './helm.ts';
import { kubernetesVersions, schemaViolations } from './kubernetes-schemas.ts';
import { find, type Manifest, podSpecOf, serverEnvironment } from './manifest.ts';
import { chartMatrix } from './matrix.ts';
import { securityViolations } from './restricted.ts';

const MINUTES = 60_000;
const rows = Object.entries(chartMatrix).map(([name, values]) => ({ name, values }));
/** A field that only these values ask for is younger than the oldest version of Kubernetes. */
const NEEDS_NEWER = 'every value that places and describes pods';

let validateCustomResource: ResourceValidator;

// Downloads what is not cached.
beforeAll(() => {
  validateCustomResource = customResourceValidator();
  for (const version of helmVersions) kubernetesTools(version);
  for (const version of kubernetesVersions)
    schemaViolations(version, { apiVersion: 'v1', kind: 'Pod', metadata: { name: '' } });
}, 10 * MINUTES);

describe.each(helmVersions)('the chart, with Helm %i,', (version) => {
  test.each(rows)('is valid for lint with $name', async ({ values }) => {
    const { code, stdout, stderr } = await helm(version, ['lint', '--strict', chartFolder], values);
    expect([code, `${stdout}`], stderr).toEqual([0, expect.stringContaining('0 chart(s) failed')]);
  });

  test.each(rows)('has valid objects and restricted pods with $name', async ({ name, values }) => {
    const manifests = await renderChart(version, values);
    const isMonitoring = ({ apiVersion }: Manifest) => apiVersion.startsWith('monitoring.coreos.com/');
    const core = manifests.filter((manifest) => !isMonitoring(manifest));
    expect(manifests.filter(isMonitoring).flatMap(validateCustomResource)).toEqual([]);
    const versions = kubernetesVersions.filter((each) => each !== '1.29' || name !== NEEDS_NEWER);
    expect(versions.flatMap((each) => core.flatMap((manifest) => schemaViolations(each, manifest)))).toEqual([]);
    expect(manifests.flatMap(securityViolations)).toEqual([]);
    expect(manifests.flatMap(missingFiles)).toEqual([]);
    expect(manifests.flatMap(unknownVariables)).toEqual([]);
    expect(namesUsedTwice(manifests)).toEqual([]);
  });

  test('can be packaged', async () => {
    const folder = temporaryDirectory();
    const packaged = await runProgram(kubernetesTools(version).helm, ['package', chartFolder, '--destination', folder]);
    expect(packaged.code, packaged.stderr).toBe(0);
    const values = ['--values', join(chartFolder, 'ci/files-values.yaml')];
    const archive = join(folder, 'countersign-0.1.0.tgz');
    const rendered = await runProgram(kubernetesTools(version).helm, ['template', 'auth', archive, ...values]);
    expect([rendered.code, `${rendered.stdout}`]).toEqual([0, expect.stringContaining('kind: Deployment')]);
  });
});

/** Files in the environment of a container that are in none of its mounts, and mounts without a volume. */
function missingFiles(manifest: Manifest): readonly string[] {
  const { containers = [], initContainers = [], volumes = [] } = podSpecOf(manifest) ?? {};
  return [...initContainers, ...containers].flatMap(({ env = [], volumeMounts = [] }) => {
    const paths = env.flatMap(({ value }) => (value?.startsWith('/') ? [value] : []));
    const isMounted = (path: string) => volumeMounts.some(({ mountPath }) => `${path}/`.startsWith(`${mountPath}/`));
    const hasVolume = (name: string) => volumes.some((volume) => volume.name === name);
    // A folder of records has a mount for each ConfigMap.
    const hasMounts = (path: string) => volumeMounts.some(({ mountPath }) => mountPath.startsWith(`${path}/`));
    const unmounted = paths.filter((path) => path !== '/etc/countersign' && !hasMounts(path) && !isMounted(path));
    return [...unmounted, ...volumeMounts.map(({ name }) => name).filter((name) => !hasVolume(name))];
  });
}

/** Variables that the program does not know, or that are set twice. */
function unknownVariables(manifest: Manifest): readonly string[] {
  const known = new Set(
    allSettings.flatMap((setting) => [...variablesOf(setting)].map((name) => `COUNTERSIGN_${name}`)),
  );
  const { containers = [], initContainers = [] } = podSpecOf(manifest) ?? {};
  return [...initContainers, ...containers].flatMap(({ env = [] }) => {
    const names = env.map(({ name }) => name);
    return names.filter((name, index) => {
      return names.indexOf(name) !== index || (name.startsWith('COUNTERSIGN_') && !known.has(name));
    });
  });
}

function namesUsedTwice(manifests: readonly Manifest[]): readonly string[] {
  const names = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  return names.filter((name, index) => names.indexOf(name) !== index);
}

const render = (name: keyof typeof chartMatrix, values: ChartValues['values'] = {}) => {
  const row = chartMatrix[name] ?? {};
  return renderChart(4, { ...row, values: { ...row.values, ...values } });
};

test.each(rows)('Helm 3 and 4 render the same objects with $name', async ({ values }) => {
  const [three, four] = await Promise.all([renderChart(3, values), renderChart(4, values)]);
  const byName = (manifests: readonly Manifest[]) =>
    Object.fromEntries(manifests.map((each) => [`${each.kind} ${each.metadata.name}`, each]));
  expect(byName(three)).toEqual(byName(four));
});

test('the server is available as it comes', async () => {
  const manifests = await render('records in files');
  expect(find(manifests, 'Deployment').spec).toMatchObject({
    strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template: {
      spec: {
        topologySpreadConstraints: [
          { topologyKey: 'topology.kubernetes.io/zone' },
          { topologyKey: 'kubernetes.io/hostname' },
        ],
        containers: [
          {
            startupProbe: { httpGet: { path: '/livez', port: 'operations' } },
            readinessProbe: { httpGet: { path: '/readyz', port: 'operations' } },
            livenessProbe: { httpGet: { path: '/livez', port: 'operations' } },
          },
        ],
      },
    },
  });
  // The HorizontalPodAutoscaler owns the number of replicas.
  expect(find(manifests, 'Deployment').spec).not.toHaveProperty('replicas');
  expect(find(manifests, 'HorizontalPodAutoscaler').spec).toMatchObject({ minReplicas: 2 });
  expect(find(manifests, 'PodDisruptionBudget').spec).toMatchObject({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
  });
});

test('a fixed number of replicas needs no autoscaler', async () => {
  const manifests = await render('a fixed number of replicas');
  expect(find(manifests, 'Deployment').spec).toMatchObject({ replicas: 4 });
  expect(manifests.map(({ kind }) => kind)).not.toContain('HorizontalPodAutoscaler');
});

test('only the gateway, the scraper and the test reach the pods', async () => {
  const gateway = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'gateway' } } };
  const scraper = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } };
  const manifests = await render('records and keyring in Redis, a gateway certificate and an edge');
  const podLabels = find(manifests, 'Pod', '-test').metadata.labels ?? {};
  const { policyTypes, podSelector, ingress } = find(manifests, 'NetworkPolicy').spec ?? {};
  expect(policyTypes).toEqual(['Ingress']);
  const component = (name: string) => ({
    'app.kubernetes.io/name': 'countersign',
    'app.kubernetes.io/instance': 'auth',
    'app.kubernetes.io/component': name,
  });
  expect(podSelector).toEqual({ matchLabels: component('server') });
  expect(podLabels).toMatchObject(component('test'));
  expect(ingress).toEqual([
    { ports: [{ port: 'https' }], from: [gateway, { podSelector: { matchLabels: component('test') } }] },
    { ports: [{ port: 'edge' }], from: [gateway] },
    { ports: [{ port: 'operations' }], from: [scraper] },
  ]);
});

test('a socket in the pod is neither a port nor a proxy that has to be trusted by its address', async () => {
  const manifests = await render('nginx in the same pod');
  const env = serverEnvironment(manifests);
  expect(env.COUNTERSIGN_LISTEN).toBe('unix:/run/countersign/countersign.sock');
  expect(Object.keys(env)).not.toContain('COUNTERSIGN_TRUSTED_PROXIES');
  const { containers = [] } = podSpecOf(find(manifests, 'Deployment')) ?? {};
  expect(containers[0]?.ports?.map(({ name }) => name)).toEqual(['operations']);
  expect(find(manifests, 'Service').spec).toMatchObject({ ports: [{ port: 443, targetPort: 8443 }] });
});

test('records are applied by the administrator, after the installation, and by no server', async () => {
  const manifests = await render('records and keyring in Redis, a gateway certificate and an edge');
  const job = find(manifests, 'Job');
  expect(job.metadata.annotations?.['helm.sh/hook']).toBe('post-install,post-upgrade,post-rollback');
  const volumesOf = (manifest: Manifest) => JSON.stringify(podSpecOf(manifest)?.volumes);
  expect(volumesOf(job)).toContain('"secretName":"redis-administrator"');
  expect(volumesOf(job)).not.toContain('redis-server');
  expect(volumesOf(job)).not.toContain('key-encryption-key');
  expect(volumesOf(find(manifests, 'Deployment'))).not.toContain('redis-administrator');
  const args = ['clients', 'apply', '/etc/countersign/clients', '--prune'];
  expect(podSpecOf(job)?.containers[0]?.args).toEqual([...args, '--keep-disabled']);
  const reenabling = await render('records and keyring in Redis, a gateway certificate and an edge', {
    clients: { apply: { reenable: true } },
  });
  expect(podSpecOf(find(reenabling, 'Job'))?.containers[0]?.args).toEqual(args);
});

test('the Job is not tried again for invalid records or settings, and checks the records without a secret', async () => {
  const settings = { REQUIRE_CA_PIN: true };
  const job = find(
    await render('records and keyring in Redis, a gateway certificate and an edge', { settings }),
    'Job',
  );
  const pod = podSpecOf(job);
  const failing = (containerName: string, values: readonly number[]) => ({
    action: 'FailJob',
    onExitCodes: { containerName, operator: 'In', values },
  });
  expect(job.spec).toMatchObject({
    podFailurePolicy: { rules: [failing('check-clients', [1, 2]), failing('apply-clients', [2])] },
    template: { spec: { restartPolicy: 'Never' } },
  });
  const [check] = pod?.initContainers ?? [];
  const [apply] = pod?.containers ?? [];
  expect([check?.name, apply?.name]).toEqual(['check-clients', 'apply-clients']);
  expect(check?.args).toEqual(['clients', 'check', '/etc/countersign/clients']);
  expect(check?.env).toContainEqual({ name: 'COUNTERSIGN_REQUIRE_CA_PIN', value: 'true' });
  const ofRedis = /^COUNTERSIGN_REDIS_(?!KEY_PREFIX$)/;
  expect(check?.env).toEqual(apply?.env?.filter(({ name }) => !ofRedis.test(name)));
  const secrets = new Set((pod?.volumes ?? []).filter((volume) => 'secret' in volume).map(({ name }) => name));
  const mounted = (container = check) => container?.volumeMounts?.filter(({ name }) => secrets.has(name));
  expect([mounted(check), mounted(apply)?.map(({ name }) => name)]).toEqual([
    [],
    expect.arrayContaining(['redis-url']),
  ]);
});

test('settings of the server reach the Job only if they decide which records are valid', async () => {
  const settings = { AUDIT_FILE: '/var/log/countersign/audit.log', REQUIRE_CA_PIN: true };
  const manifests = await render('records and keyring in Redis, a gateway certificate and an edge', { settings });
  const env = podSpecOf(find(manifests, 'Job'))?.containers[0]?.env?.map(({ name }) => name);
  expect(env).toContain('COUNTERSIGN_REQUIRE_CA_PIN');
  expect(env).not.toContain('COUNTERSIGN_AUDIT_FILE');
  expect(serverEnvironment(manifests).COUNTERSIGN_AUDIT_FILE).toBe('/var/log/countersign/audit.log');
});

test('numbers among the settings are written out', async () => {
  const env = serverEnvironment(await render('names that YAML takes for numbers'));
  expect(env).toMatchObject({ COUNTERSIGN_MAX_CONNECTIONS: '1000000', COUNTERSIGN_REDIS_KEY_PREFIX: 'yes' });
});

test('each ConfigMap with records has a folder of its own', async () => {
  for (const kind of ['Deployment', 'Job']) {
    const pod = podSpecOf(find(await render('names that YAML takes for numbers'), kind));
    const mounted = pod?.containers[0]?.volumeMounts?.filter(({ mountPath }) => mountPath.includes('/clients/')) ?? [];
    const sources = mounted.map(({ name, mountPath }) => [mountPath, pod?.volumes?.find((each) => each.name === name)]);
    const expected = ['1e3', '007'].map((name, index) => [
      `/etc/countersign/clients/${name}`,
      { name: `clients-${index}`, configMap: { name } },
    ]);
    expect(sources).toEqual(kind === 'Job' ? expected : []);
  }
});

test('the autoscaler looks at the server, and not at other containers of its pod', async () => {
  const { spec } = find(await render('records in files'), 'HorizontalPodAutoscaler');
  const target = { type: 'Utilization', averageUtilization: 70 };
  const containerResource = { name: 'cpu', container: 'countersign', target };
  expect(spec?.metrics).toEqual([{ type: 'ContainerResource', containerResource }]);
});

test('the Services for the gateway have the IP families of the values', async () => {
  const services = (await render('IPv6 and an egress policy')).filter(({ kind }) => kind === 'Service');
  const families = services.map(({ metadata, spec }) => [metadata.name, spec?.ipFamilies]);
  expect(families).toEqual([
    ['auth-countersign', ['IPv6']],
    ['auth-countersign-edge', ['IPv6']],
    ['auth-countersign-operations', undefined],
  ]);
});

test('labels of users do not replace those that select the pods', async () => {
  const manifests = await render(NEEDS_NEWER);
  const { selector, template } = find(manifests, 'Deployment').spec as {
    selector: { matchLabels: Record<string, string> };
    template: Manifest & { spec: { topologySpreadConstraints: object[] } };
  };
  expect(selector.matchLabels).toMatchObject({
    'app.kubernetes.io/name': 'tokens',
    'app.kubernetes.io/component': 'server',
  });
  expect(template.metadata.labels).toMatchObject({ ...selector.matchLabels, mesh: 'off', team: 'platform' });
  expect(template.spec.topologySpreadConstraints).toMatchObject([{ labelSelector: selector }]);
});

test('of a Secret, only the keys that are read are mounted', async () => {
  const shared = { urlSecretRef: { name: 'redis', key: 'server' }, adminUrlSecretRef: { name: 'redis', key: 'admin' } };
  const manifests = await render('records and keyring in Redis, a gateway certificate and an edge', { redis: shared });
  const keysIn = (manifest: Manifest, volume: string) => {
    const found = podSpecOf(manifest)?.volumes?.find(({ name }) => name === volume);
    return (found?.secret as { items?: { key: string }[] } | undefined)?.items?.map(({ key }) => key);
  };
  expect(keysIn(find(manifests, 'Deployment'), 'redis-url')).toEqual(['server']);
  expect(keysIn(find(manifests, 'Deployment'), 'tls')).toEqual(['tls.crt', 'tls.key']);
  expect(keysIn(find(manifests, 'Deployment'), 'redis-ca')).toEqual(['ca.crt']);
  expect(keysIn(find(manifests, 'Job'), 'redis-url')).toEqual(['admin']);
  // A directory of keys is read as a whole.
  const directory = find(await render('nginx in the same pod'), 'Deployment');
  expect(keysIn(directory, 'signing-keys')).toBeUndefined();
});

test('a release and a namespace may be named with digits and dots', async () => {
  const values = ['--values', join(chartFolder, 'ci/redis-values.yaml'), '--set', 'nameOverride=1e3'];
  const command = ['template', 'auth.v1', chartFolder, '--namespace', '007', ...values];
  const { code, stdout, stderr } = await runProgram(kubernetesTools(4).helm, command);
  expect(code, stderr).toBe(0);
  const manifests = parseManifests(stdout.toString());
  expect(manifests.flatMap((manifest) => schemaViolations('1.37', manifest))).toEqual([]);
  expect(manifests.filter(({ metadata }) => !/^auth-v1-1e3[-a-z]*$/.test(metadata.name))).toEqual([]);
});

test('large numbers are written out', async () => {
  const twoWeeks = 1_209_600;
  const values = {
    terminationGracePeriodSeconds: twoWeeks,
    clients: { apply: { ttlSecondsAfterFinished: twoWeeks, activeDeadlineSeconds: twoWeeks } },
    podSecurityContext: { runAsUser: 1_000_650_000 },
  };
  const { stdout } = await helm(4, ['template', 'auth', chartFolder], { file: 'redis-values.yaml', values });
  // In the text: the API server takes no exponent for an integer, unlike a parser.
  const integers = [...`${stdout}`.matchAll(/(?:Seconds|AfterFinished|runAsUser): (.*)/g)].map(([, value]) => value);
  expect(integers).toContain('1209600');
  expect(integers.filter((value) => !/^[0-9]+$/.test(value ?? ''))).toEqual([]);
});

test('a parent chart may state a condition, and empty values are those of the chart', async () => {
  const empty = { settings: null, commonLabels: null, podLabels: null, podAnnotations: null, resources: null };
  const manifests = await render('records in files', { enabled: true, global: { team: 'platform' }, ...empty });
  expect(find(manifests, 'Deployment').kind).toBe('Deployment');
});

test('an annotation of users, and a constraint with its own selector, stay as they are', async () => {
  const container = { 'kubectl.kubernetes.io/default-container': 'nginx' };
  const constraint = { topologyKey: 'zone', maxSkew: 2, labelSelector: { matchLabels: { team: 'platform' } } };
  const values = { podAnnotations: container, topologySpreadConstraints: [constraint] };
  const { template } = find(await render('records in files', values), 'Deployment').spec as { template: Manifest };
  expect(template.metadata.annotations).toEqual(container);
  expect(template.spec).toMatchObject({ topologySpreadConstraints: [constraint] });
  expect(JSON.stringify(template.spec?.topologySpreadConstraints)).not.toContain('app.kubernetes.io');
});

test('a new version of the chart alone does not replace the pods', async () => {
  const { template } = find(await render('records in files'), 'Deployment').spec as { template: Manifest };
  expect(JSON.stringify(template)).not.toContain('helm.sh/chart');
});

test('the monitoring objects exist where their kinds do', async () => {
  const without = ['template', 'auth', chartFolder];
  const { stdout } = await helm(4, without, { file: 'redis-values.yaml' });
  expect(`${stdout}`).not.toContain('monitoring.coreos.com');
  const manifests = await render('records and keyring in Redis, a gateway certificate and an edge');
  const { selector, endpoints } = find(manifests, 'ServiceMonitor').spec as {
    selector: { matchLabels: Record<string, string> };
    endpoints: { port: string }[];
  };
  const operations = find(manifests, 'Service', '-operations');
  expect(operations.metadata.labels).toMatchObject(selector.matchLabels);
  expect(operations.spec).toMatchObject({ ports: [{ name: endpoints[0]?.port }] });
  const selected = manifests.filter(
    ({ kind, metadata }) => kind === 'Service' && matches(metadata, selector.matchLabels),
  );
  expect(selected).toEqual([operations]);
});

const matches = ({ labels = {} }: Manifest['metadata'], selector: Record<string, string>) =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);

test('the notes have the command of the doctor, for each replica that runs', async () => {
  // Helm 3 prints notes with a cluster only.
  const install = ['install', 'auth', chartFolder, '--namespace', 'auth', '--dry-run=client'];
  const { stdout } = await helm(4, install, { file: 'files-values.yaml' });
  const notes = `${stdout}`;
  expect(notes).toContain('rollout status deployment/auth-countersign');
  const [command = ''] = /^ {2}set --[\s\S]*doctor .*$/m.exec(notes) ?? [];
  // Stand-ins write down what they are called with; three replicas run.
  const cwd = temporaryDirectory();
  const standIn = (name: string, script: string) =>
    writeFileSync(join(cwd, name), `#!/bin/sh\necho "${name} $*" >> calls\n${script}`, { mode: 0o755 });
  standIn('kubectl', 'case "$*" in *" get pods "*) echo pod/a; echo pod/b; echo pod/c;; esac\n');
  standIn('countersign', '');
  standIn('sleep', '');
  const finished = await runProgram('sh', ['-euc', `${command}\nwait`], {
    cwd,
    env: { PATH: `${cwd}:${process.env.PATH}` },
  });
  expect([finished.code, finished.stderr]).toEqual([0, '']);
  const calls = readFileSync(join(cwd, 'calls'), 'utf8').split('\n');
  const selector = new URLSearchParams(calls[0]?.replace(/.*--selector /, '').replaceAll(',', '&'));
  const { selector: selected } = find(await render('records in files'), 'Deployment').spec as {
    selector: { matchLabels: Record<string, string> };
  };
  expect(Object.fromEntries(selector)).toEqual(selected.matchLabels);
  for (const [index, pod] of ['a', 'b', 'c'].entries())
    expect(calls).toContain(`kubectl --namespace auth port-forward pod/${pod} ${9090 + index}:9090`);
  const operations = [9090, 9091, 9092].map((port) => `--operations 127.0.0.1:${port}`).join(' ');
  const certificate = '--cert client.pem --key client-key.pem';
  expect(calls).toContain(`countersign doctor --url https://auth.example ${certificate} ${operations}`);
});

describeWith(['promtool'], 'the alerts of the chart', () => {
  test('are those of deploy/observability, and valid', async () => {
    const manifests = await render('records in files');
    const { spec } = find(manifests, 'PrometheusRule');
    expect(spec).toEqual(
      parse(readFileSync(join(repositoryRoot, 'deploy/observability/prometheus-rules.yaml'), 'utf8')),
    );
    const file = join(temporaryDirectory(), 'rules.yaml');
    writeFileSync(file, stringify(spec));
    const { code, stderr } = await runProgram(programPath('promtool'), ['check', 'rules', file]);
    expect(code, stderr).toBe(0);
  });
});

test('the version of the chart is that of the package', () => {
  const { version, license } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  const chart = parse(readFileSync(join(chartFolder, 'Chart.yaml'), 'utf8'));
  expect(chart).toMatchObject({ version, appVersion: version, annotations: { 'artifacthub.io/license': license } });
});
