import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { helmVersions, renderChart } from '../chart/helm.ts';
import { chartMatrix } from '../chart/matrix.ts';
import { buildCountersignImage } from '../image/countersign-image.ts';
import { saveImage } from '../image/image-store.ts';
import { runCountersign } from '../support/countersign.ts';
import { eventually } from '../support/eventually.ts';
import { expectWithin } from '../support/expect-within.ts';
import { installKubernetesTools } from '../support/kubernetes-tools.ts';
import { openssl } from '../support/openssl.ts';
import { installClusterPrograms, kubernetesBinaries } from './binaries.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { dryRun, dryRunByHelm, renderedNamespace } from './dry-run.ts';
import { LOAD_CONNECTIONS, type LoadResult } from './outside-client.ts';
import { archivePartsImage, archivePauseImage } from './part-images.ts';
import { configMap, namespace, secret } from './pods.ts';
import { apply, PATIENCE, type Pod, podsOf, rolledOut } from './release.ts';
import { exhaustMemory, signalReplica, untilRestarted } from './replica-failures.ts';
import {
  clientsConfigMap,
  countersignImage,
  type RedisScenario,
  replicas,
  type Scenario,
  startConfigMapScenario,
  startRedisScenario,
} from './scenario.ts';
import { startSidecarScenario } from './sidecar.ts';

/** With an empty cache, the programs of Kubernetes are compiled first. */
const START_TIMEOUT = 7_200_000;
const TIMEOUT = 900_000;

/**
 * Requests that a dead replica can fail: one on each connection, and once more until the nodes send none to it. nginx
 * repeats them, but each time may select the same replica.
 */
const IN_FLIGHT = 2 * LOAD_CONNECTIONS;

let cluster: Cluster;
const kubectl = (...args: string[]) => cluster.run(['kubectl', ...args]);

beforeAll(async () => {
  installClusterPrograms();
  const binaries = await kubernetesBinaries();
  const { kubectl } = installKubernetesTools(4);
  const image = buildCountersignImage();
  const writeImages = async (folder: string) => {
    await archivePauseImage(binaries, join(folder, 'pause.tar'));
    await archivePartsImage(join(folder, 'parts.tar'));
    const { repository, tag } = countersignImage;
    saveImage(image, `${repository}:${tag}`, join(folder, 'countersign.tar'));
  };
  cluster = await startCluster({ binaries, kubectl, writeImages });
}, START_TIMEOUT);
afterAll(async () => cluster?.stop(), TIMEOUT);

/** Two replicas that are ready, and no other one. */
async function pairOf({ namespace }: Scenario): Promise<[Pod, Pod]> {
  let pods: Pod[] = [];
  await eventually(
    async () => {
      pods = await podsOf(cluster, namespace, replicas);
      return pods.length === 2 && pods.every(({ ready }) => ready);
    },
    () => `not two replicas: ${JSON.stringify(pods)}`,
    PATIENCE,
  );
  const [first, second] = pods;
  if (!first || !second) throw new Error('there are not two replicas');
  return [first, second];
}

/** Responses of the gateway, for no more requests than can be in flight. */
function expectOnlyRequestsInFlight(failures: LoadResult['failures']): void {
  const { 503: unavailable = 0, ...others } = failures;
  expect(others).toEqual({});
  expect(unavailable).toBeLessThanOrEqual(IN_FLIGHT);
}

async function expectNoMoreFailures({ underLoad }: Scenario): Promise<void> {
  const { failures } = await underLoad(() => delay(1000));
  expect(failures).toEqual({});
}

/** The UID of each Pod, and how often it was restarted. */
const livesOf = (pods: readonly Pod[]) => pods.map(({ uid, restarts }) => `${uid} ${restarts}`).sort();

/** Waits until the log of each replica has these events. */
async function logged({ namespace }: Scenario, pods: readonly Pod[], events: readonly string[]): Promise<void> {
  for (const { name } of pods) {
    let missing: string[] = [];
    await eventually(
      async () => {
        const log = await kubectl('--namespace', namespace, 'logs', name);
        missing = events.filter((event) => !log.includes(`"event":"${event}"`));
        return missing.length === 0;
      },
      () => `${name} does not log ${missing.join(', ')}`,
      PATIENCE,
    );
  }
}

describe('the chart with Redis behind nginx', () => {
  let scenario: RedisScenario;
  beforeAll(async () => {
    scenario = await startRedisScenario(cluster, installKubernetesTools(4).helm);
  }, TIMEOUT);
  const inNamespace = (...args: string[]) => kubectl('--namespace', scenario.namespace, ...args);
  const administer = async (verb: 'disable' | 'enable') => {
    const env = { COUNTERSIGN_REDIS_URL: scenario.administratorUrl };
    const { code, stderr } = await runCountersign(['clients', verb, 'billing'], { env });
    if (code !== 0) throw new Error(stderr);
  };
  const untilStatus = (status: number) =>
    eventually(
      async () => (await scenario.requestToken()) === status,
      () => `the status is not ${status}`,
      PATIENCE,
    );

  test('issues a token to a client outside the cluster, from a replica on each node', async () => {
    const stranger = scenario.pki.clientCa.issue({ dns: ['stranger.example'] });
    expect([await scenario.requestToken(), await scenario.requestToken(stranger)]).toEqual([200, 400]);
    const pods = await pairOf(scenario);
    expect(pods.map(({ node }) => node).sort()).toEqual(['n1', 'n2']);
  });

  test(
    'passes helm test',
    async () => {
      expect(await scenario.release.test()).toContain('Succeeded');
    },
    TIMEOUT,
  );

  test(
    'fails the Job at once if a client file is invalid',
    async () => {
      const clients = { files: { 'billing.yaml': { clients: [{ client_id: 'billing' }] } } };
      const upgrade = scenario.release.upgrade({ ...scenario.values, clients });
      await expect(upgrade).rejects.toThrow('countersign-apply-clients not ready. status: Failed');
      const { status } = JSON.parse(await inNamespace('get', 'job', 'countersign-apply-clients', '--output', 'json'));
      expect(status).toMatchObject({
        failed: 1,
        conditions: expect.arrayContaining([expect.objectContaining({ type: 'Failed', reason: 'PodFailurePolicy' })]),
      });
      const selector = 'batch.kubernetes.io/job-name=countersign-apply-clients';
      const pods = await inNamespace('get', 'pods', '--selector', selector, '--output', 'name');
      expect(pods.trim().split('\n')).toHaveLength(1);
      const log = await inNamespace('logs', pods.trim(), '--container', 'check-clients');
      expect(log).toContain('client "billing": token_endpoint_auth_method');
      await scenario.release.upgrade(scenario.values);
      expect(await scenario.requestToken()).toBe(200);
    },
    TIMEOUT,
  );

  test('rejects a disabled client on every replica within a second', async () => {
    const pods = await pairOf(scenario);
    const sockets = await Promise.all(pods.map(({ address }) => cluster.relay(`${address}:8080`, 'node')));
    expect(await Promise.all(sockets.map(scenario.requestFromReplica))).toEqual([200, 200]);
    await expectWithin(1_000, async () => {
      await administer('disable');
      const disabledAt = performance.now();
      const lastAccepted = async (socket: string) => {
        for (let last = disabledAt; ; ) {
          const sentAt = performance.now();
          if ((await scenario.requestFromReplica(socket)) !== 200) return Math.round(last - disabledAt);
          last = sentAt;
        }
      };
      const accepted = await Promise.all(sockets.map(lastAccepted));
      console.info(`disabled: last accepted after ${accepted.join(' and ')} ms`);
      await administer('enable');
      await untilStatus(200);
      return Math.max(...accepted);
    });
  });

  const actions: [string, () => Promise<unknown>][] = [
    [
      'an upgrade with changed values',
      () => scenario.release.upgrade({ ...scenario.values, settings: { LOG_LEVEL: 'warn' } }),
    ],
    ['a rollback', () => scenario.release.rollback(1)],
    [
      'a change to four replicas',
      async () => {
        // There is no metrics server; an autoscaler keeps its limits nevertheless.
        await inNamespace('patch', 'hpa', 'countersign', '--patch', '{"spec": {"minReplicas": 4}}');
        await rolledOut(cluster, scenario.namespace, 'deployment/countersign');
        const ready = async () => (await podsOf(cluster, scenario.namespace, replicas)).filter((pod) => pod.ready);
        await eventually(
          async () => (await ready()).length === 4,
          () => 'there are not four replicas',
          PATIENCE,
        );
      },
    ],
    [
      'a change back to two replicas',
      async () => {
        await inNamespace('patch', 'hpa', 'countersign', '--patch', '{"spec": {"minReplicas": 2}}');
        await eventually(
          async () => {
            // Again, if the autoscaler had not seen its new minimum yet.
            await inNamespace('scale', 'deployment/countersign', '--replicas', '2');
            return (await podsOf(cluster, scenario.namespace, replicas)).length === 2;
          },
          () => 'there are not two replicas',
          PATIENCE,
        );
        await pairOf(scenario);
      },
    ],
    [
      'the drain of a node',
      async () => {
        await kubectl(
          'drain',
          'n2',
          '--ignore-daemonsets',
          '--delete-emptydir-data',
          '--timeout',
          `${PATIENCE / 1000}s`,
        );
        await pairOf(scenario);
        await kubectl('uncordon', 'n2');
      },
    ],
    [
      'the replacement of the Pod of Redis',
      async () => {
        await inNamespace('delete', 'pod', 'redis-0', '--grace-period', '1');
        await rolledOut(cluster, scenario.namespace, 'statefulset/redis');
      },
    ],
  ];

  test.each(actions)(
    'fails no request during %s',
    async (name, action) => {
      const { tokens, failures } = await scenario.underLoad(action);
      console.info(`${name}: ${tokens} tokens, failed requests: ${JSON.stringify(failures)}`);
      expect(failures).toEqual({});
    },
    TIMEOUT,
  );

  test(
    'fails only requests in flight when a replica is killed',
    async () => {
      const [victim] = await pairOf(scenario);
      const { tokens, failures } = await scenario.underLoad(async () => {
        await signalReplica(cluster, victim, 'KILL');
        await untilRestarted(cluster, scenario.namespace, victim);
      });
      console.info(`a SIGKILL of a replica: ${tokens} tokens, failed requests: ${JSON.stringify(failures)}`);
      expectOnlyRequestsInFlight(failures);
      await expectNoMoreFailures(scenario);
    },
    TIMEOUT,
  );

  test('obeys commands after the Pod of Redis was replaced', async () => {
    await administer('disable');
    await untilStatus(400);
    await administer('enable');
    await untilStatus(200);
  });

  test(
    'keeps one replica when both are to be evicted',
    async () => {
      const evict = async ({ name }: Pod) => {
        const path = `/api/v1/namespaces/${scenario.namespace}/pods/${name}/eviction`;
        const eviction = {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: { name, namespace: scenario.namespace },
        };
        const command = ['kubectl', 'create', '--raw', path, '--filename', '-'];
        const evicted = cluster.run(command, { input: JSON.stringify(eviction) }).then(() => 'evicted');
        return evicted.catch((error: Error) => error.message);
      };
      const [first, second] = await pairOf(scenario);
      // Without a node for it, the first one is not replaced before the second one is to be evicted.
      await kubectl('cordon', 'n1', 'n2');
      expect(await evict(first)).toBe('evicted');
      expect(await evict(second)).toContain("violate the pod's disruption budget");
      await kubectl('uncordon', 'n1', 'n2');
      await pairOf(scenario);
    },
    TIMEOUT,
  );

  test(
    'uses rotated Secrets and a changed ConfigMap without a restart',
    async () => {
      const { namespace, pki } = scenario;
      const before = await pairOf(scenario);
      const client = pki.otherCa.issue({ dns: ['billing.example'] });
      expect([await scenario.requestToken(client), await scenario.publishedKeys()]).toEqual([400, 1]);
      const signingKey = await openssl(['genpkey', '-algorithm', 'ed25519']);
      const { tokens, failures } = await scenario.underLoad(async () => {
        await apply(cluster, [
          configMap(namespace, 'client-ca', { 'ca.crt': `${pki.clientCa.pem}${pki.otherCa.pem}` }),
          secret(namespace, 'signing-key', { 'signing-key.pem': signingKey }),
          secret(namespace, 'proxy-secret', { 'proxy-secret': `${pki.proxySecret}\n${'next'.repeat(16)}\n` }),
        ]);
        await logged(scenario, before, ['client_ca_reloaded', 'signing_key_reloaded', 'proxy_secret_reloaded']);
      });
      console.info(`a rotation: ${tokens} tokens, failed requests: ${JSON.stringify(failures)}`);
      expect(failures).toEqual({});
      expect([await scenario.requestToken(client), await scenario.publishedKeys()]).toEqual([200, 2]);
      expect(livesOf(await pairOf(scenario))).toEqual(livesOf(before));
    },
    TIMEOUT,
  );

  test(
    'recovers from a replica that exceeds its memory limit',
    async () => {
      const [victim] = await pairOf(scenario);
      let restarted = victim;
      const { tokens, failures } = await scenario.underLoad(async () => {
        await exhaustMemory(cluster, victim);
        restarted = await untilRestarted(cluster, scenario.namespace, victim);
      });
      console.info(`out of memory: ${tokens} tokens, failed requests: ${JSON.stringify(failures)}`);
      expect(restarted.lastEnd).toBe('OOMKilled');
      // The kernel kills it as SIGKILL does.
      expectOnlyRequestsInFlight(failures);
      await expectNoMoreFailures(scenario);
    },
    TIMEOUT,
  );

  test(
    'recovers from a replica that hangs',
    async () => {
      // The other one has just been restarted, and would be again only after a delay.
      const [, victim] = await pairOf(scenario);
      const during = await scenario.underLoad(async () => {
        await signalReplica(cluster, victim, 'STOP');
        await untilRestarted(cluster, scenario.namespace, victim);
      });
      console.info(`a replica hangs: ${during.tokens} tokens, failed requests: ${JSON.stringify(during.failures)}`);
      await expectNoMoreFailures(scenario);
    },
    TIMEOUT,
  );
});

describe('the chart with nginx in its Pods', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startSidecarScenario(cluster, installKubernetesTools(4).helm);
  }, TIMEOUT);

  test('issues a token to a client outside the cluster', async () => {
    const stranger = scenario.pki.clientCa.issue({ dns: ['stranger.example'] });
    expect([await scenario.requestToken(), await scenario.requestToken(stranger)]).toEqual([200, 400]);
  });

  test(
    'fails no request during an upgrade',
    async () => {
      const upgraded = { ...scenario.values, podAnnotations: { changed: 'yes' } };
      const { tokens, failures } = await scenario.underLoad(() => scenario.release.upgrade(upgraded));
      console.info(`an upgrade with nginx in the Pods: ${tokens} tokens, failed requests: ${JSON.stringify(failures)}`);
      expect(failures).toEqual({});
    },
    TIMEOUT,
  );
});

describe('the rendered chart', () => {
  beforeAll(() => apply(cluster, [namespace(renderedNamespace)]));

  test.each(Object.entries(chartMatrix))(
    'is the same by Helm 3 and 4, and is admitted to a restricted namespace, with %s',
    async (_name, values) => {
      const [manifests = [], ...others] = await Promise.all(helmVersions.map((each) => renderChart(each, values)));
      expect(manifests.map(({ kind }) => kind)).toContain('Deployment');
      for (const other of others) expect(JSON.stringify(other)).toBe(JSON.stringify(manifests));
      await dryRun(cluster, manifests);
    },
    TIMEOUT,
  );

  describe.each(helmVersions)('by helm upgrade --install --dry-run=server of Helm %i', (version) => {
    test.each(Object.entries(chartMatrix))(
      'is valid for the API server with %s',
      async (_name, values) => {
        expect(await dryRunByHelm(cluster, version, values)).toContain('\nkind: Deployment\n');
      },
      TIMEOUT,
    );
  });
});

describe('the chart with clients in ConfigMaps behind Envoy', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startConfigMapScenario(cluster, installKubernetesTools(3).helm);
  }, TIMEOUT);
  const requestAs = (id: string) => scenario.requestToken(scenario.pki.clientCa.issue({ dns: [`${id}.example`] }), id);

  test('issues tokens to the clients of each ConfigMap', async () => {
    expect([await scenario.requestToken(), await requestAs('orders'), await requestAs('reports')]).toEqual([
      200, 200, 400,
    ]);
  });

  test(
    'passes helm test',
    async () => {
      expect(await scenario.release.test()).toContain('Succeeded');
    },
    TIMEOUT,
  );

  test(
    'uses a changed ConfigMap without a restart, and ignores an invalid one',
    async () => {
      const { namespace } = scenario;
      const before = await pairOf(scenario);
      await apply(cluster, [clientsConfigMap(namespace, 'orders', ['orders', 'reports'])]);
      await logged(scenario, before, ['clients_reloaded']);
      await eventually(
        async () => (await requestAs('reports')) === 200,
        () => 'the new client is rejected',
        PATIENCE,
      );
      await apply(cluster, [configMap(namespace, 'clients-orders', { 'clients.json': '{"clients": [{}]}' })]);
      await logged(scenario, before, ['clients_reload_failed']);
      expect([await scenario.requestToken(), await requestAs('orders')]).toEqual([200, 200]);
      await apply(cluster, [clientsConfigMap(namespace, 'orders', ['orders'])]);
      await eventually(
        async () => (await requestAs('reports')) === 400,
        () => 'the removed client is accepted',
        PATIENCE,
      );
      expect(livesOf(await pairOf(scenario))).toEqual(livesOf(before));
    },
    TIMEOUT,
  );

  test(
    'fails no request during an upgrade',
    async () => {
      const upgraded = { ...scenario.values, podAnnotations: { changed: 'yes' } };
      const { tokens, failures } = await scenario.underLoad(() => scenario.release.upgrade(upgraded));
      console.info(`an upgrade behind Envoy: ${tokens} tokens, failed requests: ${JSON.stringify(failures)}`);
      expect(failures).toEqual({});
    },
    TIMEOUT,
  );
});
